internal import Console
internal import Foundation
internal import Processes

/// `--dashboard`: the live page of a run, served by a process of its own for as long as the command that trains lives.
package struct Dashboard {
    private let process: SpawnedProcess

    /// Starts it; the run goes on without one that cannot start.
    package init?(_ run: String) {
        do {
            process = try SpawnedProcess(
                ownProgram(), ["watch", "--serve", "--started-by-run", "--", run], output: .apart)
        } catch {
            sayToUser("NO LIVE PAGE: \(error); the run goes on")
            return nil
        }
        // Its address comes once there is a run, and not into a log.
        Self.passOn(process.output) { Screen.shared.say("live page: \($0)") }
        Self.passOn(process.errors) { Screen.shared.say($0, on: .errors) }
    }

    private static func passOn(_ pipe: FileHandle?, _ say: @escaping @Sendable (String) -> Void) {
        guard let pipe else { return }
        Thread.detachNewThread { pipe.readLines { say(String(decoding: $0, as: UTF8.self)) } }
    }

    /// Shows its readers the end of the run, and ends.
    package func end() {
        try? process.input.close()
        if process.end(before: .now() + .seconds(3)) == nil { process.send(SIGKILL) }
    }
}
