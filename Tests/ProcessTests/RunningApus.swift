import Foundation
import Testing

/// The built program while it runs: its words as they come, and signals to it.
///
/// A minute after its start it is killed, so that a wait for its words or its end cannot last.
final class RunningApus {
    private let process = Process()
    private let output = Pipe()
    private let complaint = Pipe()
    private let guardian: DispatchWorkItem
    private let input: Pipe?
    private var outputBuffer: [UInt8] = []
    private var complaintBuffer: [UInt8] = []

    /// - Parameter takesInput: whether ``write(_:)`` and ``closeInput()`` are its standard input.
    init(
        _ arguments: [String], environment: [String: String] = [:], from folder: String? = nil, takesInput: Bool = false
    ) throws {
        input = takesInput ? Pipe() : nil
        process.executableURL = ApusProcess.executable
        process.arguments = arguments
        process.environment = testEnvironment.merging(environment) { $1 }
        if let folder { process.currentDirectoryURL = URL(filePath: folder) }
        process.standardInput = input ?? FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = complaint
        try process.run()
        let id = process.processIdentifier
        guardian = DispatchWorkItem { kill(id, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + 60, execute: guardian)
    }

    /// A test that gives up leaves no run behind.
    deinit { if process.isRunning { kill(identifier, SIGKILL) } }

    /// Reads standard output up to a line with these words, which is returned.
    @discardableResult
    func waitForOutput(_ words: String, location: SourceLocation = #_sourceLocation) throws -> String {
        while let line = Self.line(output, &outputBuffer) { if line.contains(words) { return line } }
        Issue.record("standard output ended without '\(words)'", sourceLocation: location)
        return ""
    }

    /// Reads standard error up to a line with these words, which is returned.
    @discardableResult
    func waitForComplaint(_ words: String, location: SourceLocation = #_sourceLocation) throws -> String {
        while let line = Self.line(complaint, &complaintBuffer) { if line.contains(words) { return line } }
        Issue.record("standard error ended without '\(words)'", sourceLocation: location)
        return ""
    }

    func write(_ text: String) throws { try input?.fileHandleForWriting.write(contentsOf: Data(text.utf8)) }
    func closeInput() throws { try input?.fileHandleForWriting.close() }

    var identifier: pid_t { process.processIdentifier }
    var id: Int32 { identifier }

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

    /// Waits for the end: its status, and what it wrote on standard error since the last line waited for.
    func end() -> (status: Int32, complaint: [String]) {
        while Self.line(output, &outputBuffer) != nil {}
        var lines: [String] = []
        while let line = Self.line(complaint, &complaintBuffer) { lines.append(line) }
        process.waitUntilExit()
        guardian.cancel()
        return (process.terminationStatus, lines)
    }

    /// The next line, or nil at the end.
    private static func line(_ pipe: Pipe, _ buffer: inout [UInt8]) -> String? {
        while true {
            if let end = buffer.firstIndex(of: 0x0A) {
                defer { buffer.removeSubrange(...end) }
                return String(decoding: buffer[..<end], as: UTF8.self)
            }
            let more = pipe.fileHandleForReading.availableData
            if more.isEmpty { return nil }
            buffer.append(contentsOf: more)
        }
    }
}
