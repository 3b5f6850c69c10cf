internal import Foundation
internal import Processes
internal import Synchronization
internal import Wording

/// One process with a line-based dialog, such as `apus check --local` through ssh. Ends with its last user.
final class RemoteSession: Sendable {
    private struct State {
        var lines: [String] = []
        var rest: [UInt8] = []
        var hasEnded = false
    }

    private let process: SpawnedProcess
    private let state = Mutex(State())
    private let news = DispatchSemaphore(value: 0)
    private let complaints = Mutex<[UInt8]>([])
    private let complaintsEnded = DispatchSemaphore(value: 0)

    init(executable: String, arguments: [String]) throws(RunError) {
        process = try SpawnedProcess(executable, arguments, output: .apart)
        guard let lines = process.output, let errors = process.errors else {
            preconditionFailure("the streams are separate")
        }
        Thread { [weak self] in
            lines.readPieces { self?.take($0) }
            self?.endOfOutput()
        }.start()
        Thread { [weak self] in
            errors.readPieces { bytes in self?.complaints.withLock { if $0.count < 1 << 14 { $0 += bytes } } }
            self?.complaintsEnded.signal()
        }.start()
    }

    deinit { process.send(SIGKILL) }

    private func take(_ bytes: [UInt8]) {
        state.withLock { state in
            // A process with endless output is not `apus`.
            guard state.rest.count < 1 << 16, state.lines.count < 1 << 10 else { return }
            state.rest += bytes
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

    func send(_ text: String) { try? process.input.write(contentsOf: Data(text.utf8)) }

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

    /// The exit status and its standard error; nil if it does not end in time.
    func end(before deadline: DispatchTime) -> (status: Int32, words: String)? {
        guard complaintsEnded.wait(timeout: deadline) == .success else { return nil }
        guard let end = process.end(before: deadline) else { return nil }
        return (end.shellStatus, String(decoding: complaints.withLock { $0 }, as: UTF8.self))
    }
}
