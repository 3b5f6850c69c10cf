package import Reduction
internal import Synchronization
internal import Transport

/// Tells the thread that exchanges a gradient which buckets of this rank's block sums are complete, while another
/// thread computes the others.
///
/// The last bucket is not given before ``complete()``: until then no rank has the sum.
package final class BucketGate: Sendable {
    private struct State {
        /// Elements of each bucket that may still change.
        var missing: [Int]
        /// The bucket that the exchange waits for.
        var awaited: Int?
        var phase = Phase.computing
    }

    private enum Phase {
        case computing
        case complete(ContinuousClock.Instant)
        case abandoned
    }

    private let buckets: [Range<Int>]
    private let state: Mutex<State>
    private let ring: @Sendable () -> Void
    private let wait: @Sendable () -> Void

    /// - Parameters:
    ///   - ring: ends one call of `wait`, an earlier or a later one.
    ///   - wait: called by the exchanging thread alone.
    package init(
        _ plan: ExchangePlan, ring: @escaping @Sendable () -> Void, wait: @escaping @Sendable () -> Void
    ) {
        buckets = plan.buckets
        state = Mutex(State(missing: buckets.map(\.count)))
        self.ring = ring
        self.wait = wait
    }

    // MARK: The computing thread

    /// Declares `range` of the block sums final: it is not written again in this step. Each element at most once.
    package func isFinal(_ range: Range<Int>) {
        change { state in
            for (number, bucket) in buckets.enumerated() {
                state.missing[number] -= bucket.clamped(to: range).count
                precondition(state.missing[number] >= 0, "elements \(range) were declared final twice")
            }
        }
    }

    /// All block sums are complete, and count.
    package func complete() { change { $0.phase = .complete(.now) } }

    /// The step is given up: the exchange ends with an error where it waits for this gate. If it waits for frames, the
    /// mesh's canceller ends it.
    package func abandon() { change { $0.phase = .abandoned } }

    private func change(_ body: (inout State) -> Void) {
        let isAwaited = state.withLock { state in
            body(&state)
            guard let bucket = state.awaited, isOpen(bucket, state) else { return false }
            state.awaited = nil
            return true
        }
        if isAwaited { ring() }
    }

    private func isOpen(_ bucket: Int, _ state: State) -> Bool {
        switch state.phase {
        case .computing: state.missing[bucket] == 0 && bucket < buckets.count - 1
        case .complete, .abandoned: true
        }
    }

    // MARK: The exchanging thread

    /// When the block sums were complete; nil before.
    var completed: ContinuousClock.Instant? {
        state.withLock { if case .complete(let time) = $0.phase { time } else { nil } }
    }

    /// Whether ``waitUntilOpen(_:)`` returns at once.
    func isOpen(_ bucket: Int) -> Bool { state.withLock { isOpen(bucket, $0) } }

    /// Waits until this rank's sums of `bucket` are final.
    /// - Throws: ``MeshError/cancelled`` if the step was given up.
    func waitUntilOpen(_ bucket: Int) throws(ExchangeError) {
        let mustWait = state.withLock { state in
            guard !isOpen(bucket, state) else { return false }
            state.awaited = bucket
            return true
        }
        if mustWait { wait() }
        if state.withLock({ if case .abandoned = $0.phase { true } else { false } }) { throw .mesh(.cancelled) }
    }
}
