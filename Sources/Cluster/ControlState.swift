internal import Glibc
internal import Logging
internal import Synchronization
internal import Tracing
internal import Transport

/// The state shared by the callers of a control plane and its socket thread.
///
/// Also the executor for calls: they run on the socket's own thread, which reads and sends their messages, so that no
/// other thread has to wake.
final class ControlState: TaskExecutor {
    /// A call that arrived and awaits execution.
    struct Incoming: Sendable {
        let caller: String
        let envelope: Envelope
    }

    /// Requests to the socket thread.
    enum Order: Sendable {
        case send([UInt8], to: String)
        /// The answer to a call that was made by this incarnation of the coordinator, or by a worker.
        case answer(call: UInt64, incarnation: UInt64, to: String, [UInt8])
    }

    struct Shared {
        var calls = OutgoingCalls()
        var orders: [Order] = []
        /// Work for the socket thread: steps of tasks.
        var jobs: [UnownedJob] = []
        var isStopping = false
        /// Calls that arrived and are not answered yet.
        var unanswered = 0
        /// Executes a call; nil before the system runs and after it ends.
        var execute: (@Sendable (Incoming) async -> Void)?
        /// Calls that arrived before the system ran.
        var early: [Incoming] = []
        /// The calls in execution, by their own numbers.
        var executing: [UInt64: Task<Void, Never>] = [:]
        var lastExecution: UInt64 = 0
        /// Continuations of `run` callers, who wait until the system ends.
        var runners: [CheckedContinuation<Void, Never>] = []
        var hasEnded = false
        var generation: UInt32 = 0
        var incarnation: UInt64
        var refused = 0
        var endWaiters: [CheckedContinuation<Void, Never>] = []
        var contact = CoordinatorContact.none
        /// The processes that can be called.
        var connected: Set<String> = []

        /// Whether the socket thread has nothing to do but wait.
        var isIdle: Bool { jobs.isEmpty && orders.isEmpty && (early.isEmpty || execute == nil) }
    }

    let process: String
    let isCoordinator: Bool
    let options: ControlOptions
    let wakeup: Wakeup
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
        (events, eventsEnd) = AsyncStream.makeStream()
        shared = Mutex(Shared(incarnation: incarnation))
    }

    func withShared<Result>(_ body: (inout Shared) -> sending Result) -> sending Result {
        shared.withLock { body(&$0) }
    }

    /// An envelope from this process with its current state.
    func envelope(_ kind: Envelope.Kind, in shared: borrowing Shared, call: UInt64 = 0, payload: [UInt8] = [])
        -> Envelope
    {
        Envelope(
            kind: kind, generation: shared.generation, incarnation: shared.incarnation, call: call, sender: process,
            payload: payload)
    }

    // MARK: The socket thread

    /// Makes the calling thread the socket thread.
    func threadBegins() { thread.store(UInt(pthread_self()), ordering: .relaxed) }

    /// Wakes the socket thread, unless it is the caller: it checks for new work before it waits.
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

    /// Executes pending work on the socket thread.
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

    // MARK: Being called

    /// Executes with `body` each arriving call, until the system ends or the task is cancelled.
    func execute(with body: @escaping @Sendable (Incoming) async -> Void) async {
        withShared { $0.execute = body }
        wake()
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = withShared { shared in
                    let isOver = shared.hasEnded || Task.isCancelled
                    if !isOver { shared.runners.append(continuation) }
                    return isOver
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            stopExecuting()
        }
        for call in withShared({ Array($0.executing.values) }) { await call.value }
    }

    /// Executes a call step by step on the socket thread, which is the caller; the first step runs after this returns.
    func begin(_ call: Incoming) {
        let (execute, number) = withShared { shared in
            shared.lastExecution += 1
            if shared.execute == nil { shared.early.append(call) }
            return (shared.execute, shared.lastExecution)
        }
        guard let execute else { return }
        let task = Task(executorPreference: self) {
            await execute(call)
            self.withShared { $0.executing[number] = nil }
        }
        withShared { $0.executing[number] = task }
    }

    /// The calls that waited for ``execute(with:)``; none while they must still wait.
    func takeEarly() -> [Incoming] {
        withShared { shared in
            guard shared.execute != nil, !shared.early.isEmpty else { return [] }
            defer { shared.early = [] }
            return shared.early
        }
    }

    /// Cancels the calls in execution and accepts no more.
    private func stopExecuting() {
        let (executing, runners) = withShared { shared in
            defer { (shared.execute, shared.runners) = (nil, []) }
            return (Array(shared.executing.values), shared.runners)
        }
        for call in executing { call.cancel() }
        for runner in runners { runner.resume() }
    }

    // MARK: Calling

    /// Sends one call and waits for its answer without blocking a thread.
    func call(_ address: ActorAddress, target: String, payload: [UInt8], deadline: ContinuousClock.Instant) async throws
        -> [UInt8]
    {
        guard payload.count <= options.largestCall else {
            throw ClusterError.tooLarge(bytes: payload.count, limit: options.largestCall)
        }
        let number = Mutex<UInt64?>(nil)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let refusal: (any Error)? = withShared { shared in
                    if shared.isStopping { return ClusterError.shutDown }
                    if Task.isCancelled { return CancellationError() }
                    if isCoordinator, !shared.connected.contains(address.process) {
                        return ClusterError.unknown(process: address.process)
                    }
                    let (call, settledBelow) = shared.calls.nextNumber()
                    var envelope = envelope(.call, in: shared, call: call, payload: payload)
                    envelope.settledBelow = settledBelow
                    envelope.recipient = address.name
                    envelope.target = target
                    let bytes = envelope.bytes
                    shared.calls.add(
                        call, to: address.process, target: target, envelope: bytes, deadline: deadline,
                        continuation: continuation)
                    shared.orders.append(.send(bytes, to: address.process))
                    Trace.control?.trace(
                        "call",
                        metadata: [
                            "target": "\(target)", "call": "\(call)", "to": "\(address.process)",
                            "generation": "\(envelope.generation)", "bytes": "\(payload.count)",
                        ])
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
        Trace.control?.trace(
            "answer",
            metadata: [
                "target": "\(incoming.envelope.target)", "call": "\(incoming.envelope.call)",
                "to": "\(incoming.caller)",
                "outcome": "\(kind)", "bytes": "\(payload.count)",
            ])
        withShared { shared in
            let bytes = envelope(kind, in: shared, call: incoming.envelope.call, payload: payload).bytes
            shared.orders.append(
                .answer(
                    call: incoming.envelope.call, incarnation: incoming.envelope.incarnation, to: incoming.caller, bytes
                ))
        }
        wake()
    }

    /// Fails the calls that `isMeant` selects.
    func fail(_ error: ClusterError, where isMeant: (OutgoingCalls.Call) -> Bool) {
        let failed = withShared { $0.calls.settleAll(where: isMeant) }
        for call in failed { call.continuation.resume(throwing: error) }
    }

    // MARK: Ending

    /// Asks the socket thread to end, once the calls to this process are answered or ``ControlThread/farewell`` has
    /// passed.
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

    /// The last action of the socket thread.
    func threadEnds() {
        let (waiters, jobs) = withShared { shared in
            defer { shared.jobs = [] }
            shared.isStopping = true
            shared.hasEnded = true
            return (shared.endWaiters, shared.jobs)
        }
        for job in jobs { globalConcurrentExecutor.enqueue(job) }
        fail(.shutDown) { _ in true }
        stopExecuting()
        eventsEnd.finish()
        for waiter in waiters { waiter.resume() }
    }
}
