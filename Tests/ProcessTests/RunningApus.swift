import Foundation
import Testing

/// The built program while it runs: what happens in its run, its words as they come, and signals to it.
///
/// A minute after its start it is killed, so that a wait for an event, a word or its end cannot last.
final class RunningApus {
    private let process = Process()
    private let output: PipeLines
    private let complaint: PipeLines
    private let guardian: DispatchWorkItem
    private let input: Pipe?
    /// Of the run whose folder is on its command line.
    let events: RunEvents

    /// - Parameters:
    ///   - takesInput: whether ``write(_:)`` and ``closeInput()`` are its standard input.
    ///   - events: of an earlier process of its run.
    init(
        _ arguments: [String], environment: [String: String] = [:], from folder: String? = nil,
        takesInput: Bool = false, after events: RunEvents? = nil
    ) throws {
        let run = arguments.firstIndex(of: "--output").map { arguments[$0 + 1] } ?? ""
        self.events = events ?? RunEvents(run)
        let (output, complaint) = (Pipe(), Pipe())
        input = takesInput ? Pipe() : nil
        process.executableURL = ApusProcess.executable
        process.arguments = arguments
        process.environment = testEnvironment.merging(environment) { $1 }
        if let folder { process.currentDirectoryURL = URL(filePath: folder) }
        process.standardInput = input ?? FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = complaint
        try process.run()
        (self.output, self.complaint) = (PipeLines(output), PipeLines(complaint))
        let id = process.processIdentifier
        guardian = DispatchWorkItem { kill(id, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + 60, execute: guardian)
    }

    /// A test that gives up leaves no run behind.
    deinit { if process.isRunning { kill(identifier, SIGKILL) } }

    /// Reads standard output up to a line with these words, or the next one; it is returned.
    @discardableResult
    func waitForOutput(_ words: String = "", location: SourceLocation = #_sourceLocation) throws -> String {
        while let line = output.next() { if words.isEmpty || line.contains(words) { return line } }
        Issue.record("standard output ended without '\(words)'", sourceLocation: location)
        return ""
    }

    /// Reads standard error up to a line with these words, or the next one; it is returned.
    @discardableResult
    func waitForComplaint(_ words: String = "", location: SourceLocation = #_sourceLocation) throws -> String {
        while let line = complaint.next() { if words.isEmpty || line.contains(words) { return line } }
        Issue.record("standard error ended without '\(words)'", sourceLocation: location)
        return ""
    }

    func write(_ text: String) throws { try input?.fileHandleForWriting.write(contentsOf: Data(text.utf8)) }
    func closeInput() throws { try input?.fileHandleForWriting.close() }

    var identifier: pid_t { process.processIdentifier }
    var id: Int32 { identifier }
    var isRunning: Bool { process.isRunning }

    func send(_ signal: Int32) { kill(identifier, signal) }

    /// Freezes it, and returns once it stands.
    func stand() throws {
        send(SIGSTOP)
        for _ in 0..<6_000 {
            let state = SystemFile.text("/proc/\(identifier)/stat")?.split(separator: ")").last?.split(separator: " ")
            if state?.first == "T" { return }
            usleep(10_000)
        }
        Issue.record("the process does not stand")
    }

    /// Sends it again and again: the first ones may still count as one with a signal before.
    func sendUntilEnd(_ signal: Int32) {
        for _ in 0..<1_200 where process.isRunning {
            send(signal)
            usleep(50_000)
        }
    }

    /// Waits for the end: its status, and what it wrote since the last lines waited for.
    func end() -> (status: Int32, output: [String], complaint: [String]) {
        func rest(_ lines: PipeLines) -> [String] { Array(sequence(state: ()) { _ in lines.next() }) }
        let (output, complaint) = (rest(output), rest(complaint))
        process.waitUntilExit()
        guardian.cancel()
        return (process.terminationStatus, output, complaint)
    }
}
