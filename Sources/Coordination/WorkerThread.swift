internal import Collectives
internal import Synchronization
internal import Transport
internal import Wording

/// A worker's data thread, and what other threads may do while it is busy: end its waiting, dismiss the worker.
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

    /// - Parameters:
    ///   - bucket: see ``WorkerCore``.
    ///   - links: makes the process's links, on the data thread.
    init(
        threads: Int, allowList: AllowList, refusals: RefusalCount = RefusalCount(), bucket: Int? = nil,
        surroundings: any Surroundings = SystemSurroundings(), entered: @escaping @Sendable (UInt32) -> Void,
        links: @escaping @Sendable () -> any GenerationLinks
    ) {
        self.refusals = refusals
        thread = DataThread(name: "apus data", surroundings: surroundings) {
            WorkerCore(threads: threads, links(), surroundings: surroundings, bucket: bucket)
        }
        (departures, ending) = AsyncStream.makeStream()
        self.entered = entered
        self.allowList = allowList
    }

    /// Does a command on the data thread, after all earlier work.
    /// - Throws: what the command throws; for a failed link or exchange ``WorkerFailure/generationEnded(_:)``.
    func perform<Result: Sendable>(_ command: @escaping @Sendable (WorkerCore) throws -> Result) async throws -> Result
    {
        try await thread.perform { core in
            do { return try command(core) } catch let error as MeshError {
                throw WorkerFailure.generationEnded("\(ExchangeError.mesh(error))")
            } catch let error as ExchangeError { throw WorkerFailure.generationEnded(error.description) }
        }
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
        do { return try await perform { try $0.form(formation) } } catch let error as InputError {
            // It could not form any later generation either.
            unfitness.withLock { $0 = error }
            leave(error.description)
            throw WorkerFailure.generationEnded(error.description)
        }
    }

    /// Returns after the work in progress.
    func abort() async {
        canceller.withLock { $0 }?.cancel()
        await thread.performQuietly { _ in }
    }

    func leave(_ reason: String) {
        ending.yield(reason)
        ending.finish()
    }

    func leaveWorld() async { await thread.performQuietly { $0.leaveWorld() } }

    package func end() { thread.end() }
}
