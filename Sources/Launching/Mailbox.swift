internal import Dispatch
internal import Synchronization
internal import Wording

/// Messages from any threads, in the order of their arrival, for one thread that waits for them.
final class Mailbox<Message: Sendable>: Sendable {
    private let waiting = Mutex<[Message]>([])
    private let count = DispatchSemaphore(value: 0)

    func put(_ message: Message) {
        waiting.withLock { $0.append(message) }
        count.signal()
    }

    /// The next message; nil if there is none before the deadline.
    func take(before deadline: ContinuousClock.Instant?) -> Message? {
        let limit = deadline.map { DispatchTime.now() + max(0, ($0 - .now).seconds) } ?? .distantFuture
        guard count.wait(timeout: limit) == .success else { return nil }
        return waiting.withLock { $0.removeFirst() }
    }
}
