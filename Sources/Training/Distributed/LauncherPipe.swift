internal import Foundation

/// The pipe that a launcher holds open as its children's standard input: its end says that the launcher is gone.
enum LauncherPipe {
    /// Name of the variable that says so.
    static let variable = "APUS_LAUNCHER"

    /// What a launcher writes for each worker that it starts no more.
    static let givenUp: UInt8 = 0x2D

    /// Calls `gone` when the launcher has ended. Does nothing where no launcher started this process.
    /// - Parameter givenUp: called with the number of workers that the launcher gave up since the last call.
    static func watch(givenUp: @escaping @Sendable (Int) -> Void = { _ in }, _ gone: @escaping @Sendable () -> Void) {
        guard ProcessInfo.processInfo.environment[variable] != nil else { return }
        let thread = Thread {
            while let data = try? FileHandle.standardInput.read(upToCount: 1), !data.isEmpty { givenUp(data.count { $0 == Self.givenUp }) }
            gone()
        }
        thread.name = "apus launcher"
        thread.start()
    }
}
