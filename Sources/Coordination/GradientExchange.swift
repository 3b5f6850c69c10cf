internal import Collectives
internal import Kernels
internal import Reduction
internal import Synchronization
internal import Transport

/// The exchange of each step's dense gradient in one generation, behind the backward pass if the plan has several
/// buckets.
///
/// Between ``begin(step:emptyLanes:limit:)`` and ``finish()`` or ``abandon()`` the links belong to the exchange thread,
/// and otherwise to the data thread, as this object does.
final class GradientExchange {
    let allReduce: AllReduce
    private let canceller: MeshCanceller
    /// Nil if the exchange begins when the backward pass is over: there is one bucket, or the links belong to one
    /// thread.
    private let thread: ExchangeThread?
    private let bell: any Bell
    private var open: Open?

    private struct Open {
        let step: UInt64
        let emptyLanes: Set<Int>
        let limit: @Sendable () -> ContinuousClock.Instant
        /// Nil without the thread.
        var behind: (gate: BucketGate, outcome: Outcome)?
    }

    private final class Outcome: Sendable {
        let value = Mutex<Result<ReducedGradient?, ExchangeError>?>(nil)
    }

    /// @unchecked: used by one thread at a time, see above; the thread's bells order them.
    private struct Lent: @unchecked Sendable {
        let allReduce: AllReduce
    }

    /// - Parameter isBound: whether the links can be used by the data thread alone.
    init(_ allReduce: AllReduce, canceller: MeshCanceller, isBound: Bool, surroundings: any Surroundings) {
        self.allReduce = allReduce
        self.canceller = canceller
        bell = surroundings.makeBell()
        thread = allReduce.plan.buckets.count > 1 && !isBound ? ExchangeThread(surroundings) : nil
    }

    /// Begins the exchange of a step, whose block sums are not complete yet.
    /// - Parameter limit: the deadline as of now.
    func begin(step: UInt64, emptyLanes: Set<Int>, limit: @escaping @Sendable () -> ContinuousClock.Instant) {
        precondition(open == nil, "step \(step) begins before the one before has ended")
        open = Open(step: step, emptyLanes: emptyLanes, limit: limit)
        guard let thread else { return }
        let bell = bell
        let gate = BucketGate(allReduce.plan, ring: { bell.ring() }, wait: { bell.wait() })
        let (lent, outcome) = (Lent(allReduce: allReduce), Outcome())
        thread.begin {
            Arithmetic.setFloatEnvironment()
            let made: Result<ReducedGradient?, ExchangeError>
            do throws(ExchangeError) {
                made = .success(
                    try lent.allReduce.run(step: step, emptyLanes: emptyLanes, gate: gate, limit: limit))
            } catch { made = .failure(error) }
            outcome.value.withLock { $0 = made }
        }
        open?.behind = (gate, outcome)
    }

    /// To be called with each range of the block sums that is final; nil if the exchange waits for all of them.
    var whenFinal: ((Range<Int>) -> Void)? { open?.behind.map { behind in { behind.gate.isFinal($0) } } }

    /// The sum over all lanes, once the block sums are complete; nil if every lane is empty.
    func finish() throws(ExchangeError) -> ReducedGradient? {
        guard let step = open else { preconditionFailure("an exchange is finished that has not begun") }
        open = nil
        guard let thread, let (gate, outcome) = step.behind else {
            return try allReduce.run(
                step: step.step, emptyLanes: step.emptyLanes, gate: nil, limit: step.limit)
        }
        gate.complete()
        thread.join()
        guard let made = outcome.value.withLock({ $0.take() }) else {
            preconditionFailure("the exchange thread has left no result")
        }
        return try made.get()
    }

    /// Gives a step up that was begun and not finished, and with it the generation.
    func abandon() {
        guard let step = open else { return }
        open = nil
        guard let thread, let (gate, _) = step.behind else { return }
        canceller.cancel()
        gate.abandon()
        thread.join()
    }

    /// Ends the thread.
    func end() {
        abandon()
        thread?.end()
    }
}
