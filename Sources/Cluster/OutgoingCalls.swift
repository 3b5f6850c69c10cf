/// The calls of this process that have no answer yet.
///
/// Decides which calls to send again and which to give up; its owner acts.
struct OutgoingCalls: Sendable {
    struct Call: Sendable {
        let process: String
        let envelope: [UInt8]
        let target: String
        var deadline: ContinuousClock.Instant
        var resendAt: ContinuousClock.Instant
        var resendAfter: Duration
        let continuation: CheckedContinuation<[UInt8], any Error>
    }

    private static let firstResend: Duration = .seconds(1)
    private static let longestResend: Duration = .seconds(8)
    private var calls: [UInt64: Call] = [:]
    private var lastCall: UInt64 = 0
    /// No call is due before this time, which may be too early.
    private(set) var nextInstant: ContinuousClock.Instant?

    /// The number of the next call, and the number below which every call is settled once this one is made.
    mutating func nextNumber() -> (call: UInt64, settledBelow: UInt64) {
        lastCall += 1
        return (lastCall, calls.keys.min() ?? lastCall)
    }

    mutating func add(
        _ number: UInt64, to process: String, target: String, envelope: [UInt8], deadline: ContinuousClock.Instant,
        continuation: CheckedContinuation<[UInt8], any Error>
    ) {
        let resendAt = ContinuousClock.now + Self.firstResend
        calls[number] = Call(
            process: process, envelope: envelope, target: target, deadline: deadline, resendAt: resendAt,
            resendAfter: Self.firstResend,
            continuation: continuation)
        nextInstant = min(nextInstant ?? resendAt, min(deadline, resendAt))
    }

    mutating func settle(_ number: UInt64) -> Call? {
        defer { if calls.isEmpty { nextInstant = nil } }
        return calls.removeValue(forKey: number)
    }

    /// The call, if it was made to `process` and waits.
    func isWaiting(_ number: UInt64, for process: String) -> Bool { calls[number]?.process == process }

    mutating func settleAll(where isMeant: (Call) -> Bool) -> [Call] {
        defer { findNext() }
        let numbers = calls.filter { isMeant($0.value) }.keys.sorted()
        return numbers.compactMap { calls.removeValue(forKey: $0) }
    }

    /// The calls to send again at `now`, in call order.
    mutating func due(at now: ContinuousClock.Instant) -> [Call] {
        let numbers = calls.filter { $0.value.resendAt <= now }.keys.sorted()
        for number in numbers {
            calls[number]!.resendAt = now + calls[number]!.resendAfter
            calls[number]!.resendAfter = min(calls[number]!.resendAfter * 2, Self.longestResend)
        }
        findNext()
        return numbers.map { calls[$0]! }
    }

    /// Marks every call to `process` to be sent again.
    mutating func resendAll(to process: String, at now: ContinuousClock.Instant) {
        for number in calls.keys where calls[number]!.process == process { calls[number]!.resendAt = now }
        findNext()
    }

    /// Extends every call's deadline: this process was suspended, so the delay is not the others' fault.
    mutating func postpone(by pause: Duration) {
        for number in calls.keys { calls[number]!.deadline += pause }
        findNext()
    }

    private mutating func findNext() { nextInstant = calls.values.map { min($0.deadline, $0.resendAt) }.min() }
}
