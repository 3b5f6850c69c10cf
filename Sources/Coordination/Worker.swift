package import BERT
package import Cluster
package import Distributed
package import Runs
internal import Synchronization
package import Transport
internal import Wording

/// Receives a worker's commands; the work itself happens on the worker's data thread.
///
/// The actor system already refuses commands of an ended generation. Each command is done once: the system answers a
/// repeated call with the first answer.
package distributed actor Worker<ActorSystem: CodableActorSystem> {
    private let thread: WorkerThread

    package init(_ thread: WorkerThread, actorSystem: ActorSystem) {
        self.actorSystem = actorSystem
        self.thread = thread
    }

    /// Leaves the ended generation and opens the data link of the next one, which only holders of `keys` may connect
    /// to.
    package distributed func prepare(generation: UInt32, keys: [PublicKey]) async throws -> PreparedWorker {
        try await thread.prepare(generation, keys: keys)
    }

    /// Forms the generation; returns when links, state and memory are ready.
    package distributed func form(_ formation: Formation) async throws -> HeldState { try await thread.form(formation) }

    /// Computes one step up to the reduced gradient, which the worker keeps until the commit.
    package distributed func run(_ command: StepCommand) async throws -> StepReady { try await thread.step(command) }

    package distributed func commit(_ commit: Commit) async throws { try await thread.commit(commit) }

    package distributed func evaluate(chunks: [Int], of stream: TaskStream) async throws -> [ScoredChunk] {
        try await thread.evaluate(chunks, of: stream)
    }

    /// The hash of weights and optimizer state, computed by reading every byte.
    package distributed func stateHash() async throws -> UInt64 { try await thread.stateHash() }

    /// Computes the frozen encoder's output for fed chunks and sends it to the coordinator's data link.
    package distributed func computeFeatures(chunks: [Int]) async throws { try await thread.computeFeatures(chunks) }

    /// Sends weights and optimizer state to the coordinator's data link.
    package distributed func sendState() async throws { try await thread.sendState() }

    /// The first own lane of the last step whose loss or gradient is not finite.
    package distributed func nonFiniteLane() async throws -> Int? { try await thread.nonFiniteLane() }

    /// Ends the generation: operations that wait for a link stop waiting. The state is kept.
    package distributed func abort() async -> HeldState { await thread.abort() }

    /// The run is over, or continues without this worker.
    package distributed func leave(_ reason: String) async { thread.leave(reason) }
}

/// A worker's data thread with its interface for other threads.
package final class WorkerThread: Sendable {
    let thread: DataThread<WorkerCore>
    private let canceller = Mutex<MeshCanceller?>(nil)
    private let ending: AsyncStream<String>.Continuation
    /// The reason why the coordinator removed this worker.
    package let departures: AsyncStream<String>
    /// Why this process cannot take part in the run.
    let unfitness = Mutex<InputError?>(nil)
    /// Called when this worker enters a generation, before anything else of it.
    private let entered: @Sendable (UInt32) -> Void
    private let allowList: AllowList
    /// Count of frames and connections refused by the data links.
    let refusals: RefusalCount

    convenience init(
        threads: Int, context: Context, place: MeshPlace, allowList: AllowList,
        entered: @escaping @Sendable (UInt32) -> Void
    ) {
        let refusals = RefusalCount()
        self.init(threads: threads, allowList: allowList, refusals: refusals, entered: entered) {
            DataLinks(context: context, place: place, refusals: refusals)
        }
    }

    /// - Parameter links: makes the process's links, on the data thread.
    init(
        threads: Int, allowList: AllowList, refusals: RefusalCount = RefusalCount(),
        surroundings: any Surroundings = SystemSurroundings(), entered: @escaping @Sendable (UInt32) -> Void,
        links: @escaping @Sendable () -> any GenerationLinks
    ) {
        self.refusals = refusals
        thread = DataThread(name: "apus data", surroundings: surroundings) {
            WorkerCore(threads: threads, links(), surroundings: surroundings)
        }
        (departures, ending) = AsyncStream.makeStream()
        self.entered = entered
        self.allowList = allowList
    }

    func prepare(_ generation: UInt32, keys: [PublicKey]) async throws -> PreparedWorker {
        canceller.withLock { $0 }?.cancel()
        entered(generation)
        // Before the endpoint is published: a refused connection is not retried.
        allowList.replace(with: Set(keys))
        let (ready, canceller) = try await thread.perform { try $0.prepare(generation: generation) }
        self.canceller.withLock { $0 = canceller }
        return ready
    }

    func form(_ formation: Formation) async throws -> HeldState {
        do { return try await thread.perform { try $0.form(formation) } } catch let error as InputError {
            // It could not form any later generation either.
            unfitness.withLock { $0 = error }
            leave(error.description)
            throw error
        }
    }

    func step(_ command: StepCommand) async throws -> StepReady { try await thread.perform { try $0.step(command) } }

    func commit(_ commit: Commit) async throws { try await thread.perform { try $0.apply(commit) } }

    func evaluate(_ chunks: [Int], of stream: TaskStream) async throws -> [ScoredChunk] {
        try await thread.perform { try $0.evaluate(chunks, of: stream) }
    }

    func stateHash() async throws -> UInt64 { try await thread.perform { try $0.stateHash() } }

    func computeFeatures(_ chunks: [Int]) async throws { try await thread.perform { try $0.computeFeatures(chunks) } }

    func sendState() async throws { try await thread.perform { try $0.sendState() } }

    func nonFiniteLane() async throws -> Int? { try await thread.perform { try $0.nonFiniteLane() } }

    func abort() async -> HeldState {
        canceller.withLock { $0 }?.cancel()
        return await thread.performQuietly { $0.report() }
    }

    func leave(_ reason: String) {
        ending.yield(reason)
        ending.finish()
    }

    #if MPI
    func leaveWorld() async { await thread.performQuietly { $0.leaveWorld() } }
    #endif

    package func end() { thread.end() }
}
