internal import Foundation

/// The pipe that a launcher holds open as its children's standard input: its end says that the launcher is gone.
enum LauncherPipe {
    /// Name of the variable that says so.
    static let variable = "APUS_LAUNCHER"

    /// Calls `gone` when the launcher has ended. Does nothing where no launcher started this process.
    static func watch(_ gone: @escaping @Sendable () -> Void) {
        guard ProcessInfo.processInfo.environment[variable] != nil else { return }
        let thread = Thread {
            while let data = try? FileHandle.standardInput.read(upToCount: 64), !data.isEmpty {}
            gone()
        }
        thread.name = "apus launcher"
        thread.start()
    }
}
