internal import Foundation
internal import Synchronization

/// One process with which a line-by-line talk is held, such as `apus check --local` through ssh. Ends with its last user.
final class RemoteSession: Sendable {
    private struct State: @unchecked Sendable {  // The process is touched under the lock alone.
        let process: Process
        var lines: [String] = []
        var rest: [UInt8] = []
        var hasEnded = false
    }

    private let state: Mutex<State>
    private let input: FileHandle
    private let news = DispatchSemaphore(value: 0)
    private let complaints = Mutex<[UInt8]>([])
    private let complaintsEnded = DispatchSemaphore(value: 0)

    init(executable: String, arguments: [String]) throws {
        let process = Process()
        let (input, output, complaint) = (Pipe(), Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        process.standardError = complaint
        try process.run()
        self.input = input.fileHandleForWriting
        state = Mutex(State(process: process))
        let (lines, errors) = (output.fileHandleForReading, complaint.fileHandleForReading)
        Thread { [weak self] in
            while let data = try? lines.read(upToCount: 1 << 12), !data.isEmpty { self?.take(data) }
            self?.endOfOutput()
        }.start()
        Thread { [weak self] in
            while let data = try? errors.read(upToCount: 1 << 12), !data.isEmpty { self?.complaints.withLock { if $0.count < 1 << 14 { $0 += data } } }
            self?.complaintsEnded.signal()
        }.start()
    }

    deinit { state.withLock { if $0.process.isRunning { kill($0.process.processIdentifier, SIGKILL) } } }

    private func take(_ data: Data) {
        state.withLock { state in
            // Somebody who talks without end is no `apus`.
            guard state.rest.count < 1 << 16, state.lines.count < 1 << 10 else { return }
            state.rest += data
            while let end = state.rest.firstIndex(of: 0x0A) {
                state.lines.append(String(decoding: state.rest[..<end], as: UTF8.self))
                state.rest.removeSubrange(...end)
            }
        }
        news.signal()
    }

    private func endOfOutput() {
        state.withLock { $0.hasEnded = true }
        news.signal()
    }

    func send(_ text: String) { try? input.write(contentsOf: Data(text.utf8)) }

    /// Says that nothing more will be sent.
    func endInput() { try? input.close() }

    enum Line: Equatable {
        case line(String)
        case end
        case tooLate
    }

    /// The next line of its output.
    func line(before deadline: DispatchTime) -> Line {
        while true {
            let next: Line? = state.withLock { state in
                if !state.lines.isEmpty { return .line(state.lines.removeFirst()) }
                return state.hasEnded ? .end : nil
            }
            if let next { return next }
            if news.wait(timeout: deadline) == .timedOut { return .tooLate }
        }
    }

    /// The exit status and what was written on standard error; nil where it does not end in time.
    func end(before deadline: DispatchTime) -> (status: Int32, words: String)? {
        guard complaintsEnded.wait(timeout: deadline) == .success else { return nil }
        let status = state.withLock { state in
            state.process.waitUntilExit()
            return state.process.terminationStatus
        }
        return (status, String(decoding: complaints.withLock { $0 }, as: UTF8.self))
    }
}
