internal import Glibc
internal import Synchronization
internal import Transport

/// What the callers of a control plane and its socket thread share.
///
/// Also the executor of what is done for a call: on the socket's own thread, where a message was read and will be sent, no
/// other thread has to wake for it.
final class ControlState: TaskExecutor {
    /// A call that arrived and awaits execution.
    struct Incoming: Sendable {
        let caller: String
        let envelope: Envelope
    }

    /// What the socket thread is asked to do.
    enum Order: Sendable {
        case send([UInt8], to: String)
        case answer(call: UInt64, to: String, [UInt8])
    }

    struct Shared {
        var calls = OutgoingCalls()
        var orders: [Order] = []
        /// Work for the socket thread: steps of tasks.
        var jobs: [UnownedJob] = []
        var isStopping = false
        /// Calls that arrived and whose answer is not sent yet.
        var unanswered = 0
        var hasEnded = false
        var generation: UInt32 = 0
        var incarnation: UInt64
        var refused = 0
        var endWaiters: [CheckedContinuation<Void, Never>] = []
        /// The processes that can be called.
        var connected: Set<String> = []
    }

    let process: String
    let isCoordinator: Bool
    let options: ControlOptions
    let wakeup: Wakeup
    let incoming: AsyncStream<Incoming>
    let incomingEnd: AsyncStream<Incoming>.Continuation
    let events: AsyncStream<PeerEvent>
    let eventsEnd: AsyncStream<PeerEvent>.Continuation
    private let shared: Mutex<Shared>
    /// The socket thread, once it runs.
    private let thread = Atomic<UInt>(0)

    init(process: String, isCoordinator: Bool, incarnation: UInt64, options: ControlOptions) throws(ZeroMQError) {
        self.process = process
        self.isCoordinator = isCoordinator
        self.options = options
        wakeup = try Wakeup()
        (incoming, incomingEnd) = AsyncStream.makeStream()
        (events, eventsEnd) = AsyncStream.makeStream()
        shared = Mutex(Shared(incarnation: incarnation))
    }

    func withShared<Result>(_ body: (inout Shared) -> sending Result) -> sending Result { shared.withLock { body(&$0) } }

    /// An envelope from here, as of now.
    func envelope(_ kind: Envelope.Kind, in shared: borrowing Shared, call: UInt64 = 0, payload: [UInt8] = []) -> Envelope {
        Envelope(kind: kind, generation: shared.generation, incarnation: shared.incarnation, call: call, sender: process, payload: payload)
    }

    // MARK: The socket thread

    /// The calling thread is the socket's from here on.
    func threadBegins() { thread.store(UInt(pthread_self()), ordering: .relaxed) }

    /// Wakes the socket thread, unless it is what calls: it looks for new work before it waits.
    func wake() {
        if thread.load(ordering: .relaxed) != UInt(pthread_self()) { wakeup.signal() }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let hasEnded = withShared { shared in
            if !shared.hasEnded { shared.jobs.append(job) }
            return shared.hasEnded
        }
        if hasEnded { globalConcurrentExecutor.enqueue(job) } else { wake() }
    }

    /// Does what there is to do, on the socket thread.
    func runJobs() {
        while true {
            let jobs = withShared { shared in
                defer { shared.jobs = [] }
                return shared.jobs
            }
            guard !jobs.isEmpty else { return }
            for job in jobs { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
        }
    }

    // MARK: Calling

    /// Sends one call and waits for its answer without holding a thread.
    func call(_ address: ActorAddress, target: String, payload: [UInt8], deadline: ContinuousClock.Instant) async throws -> [UInt8] {
        guard payload.count <= options.largestCall else { throw ClusterError.tooLarge(bytes: payload.count, limit: options.largestCall) }
        let number = Mutex<UInt64?>(nil)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let refusal: (any Error)? = withShared { shared in
                    if shared.isStopping { return ClusterError.shutDown }
                    if Task.isCancelled { return CancellationError() }
                    if isCoordinator, !shared.connected.contains(address.process) { return ClusterError.unknown(process: address.process) }
                    let (call, settledBelow) = shared.calls.nextNumber()
                    var envelope = envelope(.call, in: shared, call: call, payload: payload)
                    envelope.settledBelow = settledBelow
                    envelope.recipient = address.name
                    envelope.target = target
                    let bytes = envelope.bytes
                    shared.calls.add(
                        call, to: address.process, target: target, envelope: bytes, deadline: deadline, continuation: continuation)
                    shared.orders.append(.send(bytes, to: address.process))
                    number.withLock { $0 = call }
                    return nil
                }
                if let refusal { return continuation.resume(throwing: refusal) }
                wake()
            }
        } onCancel: {
            let call = withShared { shared in number.withLock { $0 }.flatMap { shared.calls.settle($0) } }
            call?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Answers a call that was executed here.
    func answer(_ incoming: Incoming, _ kind: Envelope.Kind, _ payload: [UInt8]) {
        withShared { shared in
            let bytes = envelope(kind, in: shared, call: incoming.envelope.call, payload: payload).bytes
            shared.orders.append(.answer(call: incoming.envelope.call, to: incoming.caller, bytes))
        }
        wake()
    }

    /// Fails the calls that `isMeant` selects.
    func fail(_ error: ClusterError, where isMeant: (OutgoingCalls.Call) -> Bool) {
        let failed = withShared { $0.calls.settleAll(where: isMeant) }
        for call in failed { call.continuation.resume(throwing: error) }
    }

    // MARK: Ending

    /// Asks the socket thread to end, once what was asked of this process is answered or ``ControlThread/farewell`` is over.
    func stop() {
        withShared { $0.isStopping = true }
        wake()
    }

    /// Returns once the socket thread has ended.
    func ended() async {
        await withCheckedContinuation { continuation in
            let hasEnded = withShared { shared in
                if !shared.hasEnded { shared.endWaiters.append(continuation) }
                return shared.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
    }

    /// The socket thread's last act.
    func threadEnds() {
        let (waiters, jobs) = withShared { shared in
            defer { shared.jobs = [] }
            shared.isStopping = true
            shared.hasEnded = true
            return (shared.endWaiters, shared.jobs)
        }
        for job in jobs { globalConcurrentExecutor.enqueue(job) }
        fail(.shutDown) { _ in true }
        incomingEnd.finish()
        eventsEnd.finish()
        for waiter in waiters { waiter.resume() }
    }
}
