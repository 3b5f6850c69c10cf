internal import Dispatch
internal import Foundation
internal import Synchronization

/// The event file that a process writes into a run's folder `tensorboard`.
///
/// A separate thread writes: neither a full disk nor a hanging folder delays a step. Points that do not fit are kept,
/// up to ``most`` bytes, and written as soon as there is room.
final class TensorBoardFolder: Sendable {
    private static let most = 4 << 20

    private struct State {
        var pending = Data()
        /// Whether a lasting failure was reported.
        var hasFailed = false
        var isScheduled = false
    }

    /// The open file and its size; only the queue uses it.
    private struct File {
        var handle: FileHandle?
        var size: UInt64 = 0
    }

    private let path: String
    private let say: @Sendable (String) -> Void
    private let state = Mutex(State())
    private let file = Mutex(File())
    private let queue = DispatchQueue(label: "apus tensorboard")

    /// - Parameter say: reports an error to the user, once.
    init(_ folder: String, say: @escaping @Sendable (String) -> Void) {
        path = folder + "/" + Self.name(in: folder)
        self.say = say
    }

    /// Names sort by time, and readers follow them in that order: later than the newest existing file.
    private static func name(in folder: String) -> String {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let times = names.compactMap { name in name.firstMatch(of: /tfevents\.([0-9]{10})\./).flatMap { Int($0.1) } }
        let now = max(Int(Date.now.timeIntervalSince1970), (times.max() ?? 0) + 1)
        let host = ProcessInfo.processInfo.hostName.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
        return "events.out.tfevents.\(now).\(host.isEmpty ? "host" : host).\(getpid()).0"
    }

    func add(_ record: EventRecord) {
        let (isNew, isLost) = state.withLock { state in
            guard state.pending.count + record.bytes.count <= Self.most else { return (false, true) }
            state.pending += record.bytes
            defer { state.isScheduled = true }
            return (!state.isScheduled, false)
        }
        if isLost { tell("it does not keep up, and points are dropped") }
        if isNew { queue.async { [self] in write() } }
    }

    /// Waits briefly for pending writes.
    func close() {
        let done = DispatchSemaphore(value: 0)
        queue.async { [self] in
            write()
            done.signal()
        }
        _ = done.wait(timeout: .now() + 2)
    }

    private func write() {
        let bytes = state.withLock { state in
            state.isScheduled = false
            defer { state.pending = Data() }
            return state.pending
        }
        guard !bytes.isEmpty else { return }
        do {
            try file.withLock { file in
                if file.handle == nil {
                    let folder = URL(filePath: path).deletingLastPathComponent().path
                    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                    if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(filePath: path)) }
                    file.handle = try FileHandle(forWritingTo: URL(filePath: path))
                    file.size = try file.handle?.seekToEnd() ?? 0
                }
                do { try file.handle?.write(contentsOf: bytes) } catch {
                    // Removes a partial record, so that no later record follows it.
                    try? file.handle?.truncate(atOffset: file.size)
                    _ = try? file.handle?.seekToEnd()
                    throw error
                }
                file.size += UInt64(bytes.count)
            }
            state.withLock { $0.hasFailed = false }
        } catch {
            state.withLock { $0.pending = bytes + $0.pending }
            tell("\(path) cannot be written (\((error as NSError).localizedDescription))")
        }
    }

    private func tell(_ what: String) {
        let isKnown = state.withLock { state in
            defer { state.hasFailed = true }
            return state.hasFailed
        }
        if !isKnown { say("THE FILES FOR TENSORBOARD FELL BEHIND: \(what); training continues") }
    }
}
