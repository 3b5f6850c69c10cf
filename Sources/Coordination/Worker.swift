package import BERT
package import Cluster
package import Distributed
package import Runs
package import Transport

/// Receives a worker's commands. Each has the same name in ``WorkerCore``, where the data thread does the work.
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
    package distributed func form(_ formation: Formation) async throws -> HeldState {
        try await thread.form(formation)
    }

    /// Computes one step up to the reduced gradient, which the worker keeps until the commit.
    package distributed func step(_ command: StepCommand) async throws -> StepReady {
        try await thread.perform { try $0.step(command) }
    }

    /// Makes the update of the step whose gradient the worker keeps.
    package distributed func commit(_ commit: Commit) async throws {
        try await thread.perform { try $0.commit(commit) }
    }

    /// Scores chunks of the evaluation whose samples this worker was sent, with the weights after the last commit.
    package distributed func evaluate(chunks: [Int], of stream: TaskStream) async throws -> [ScoredChunk] {
        try await thread.perform { try $0.evaluate(chunks, of: stream) }
    }

    /// The hash of weights and optimizer state, computed by reading every byte.
    package distributed func stateHash() async throws -> UInt64 { try await thread.perform { try $0.stateHash() } }

    /// Computes the frozen encoder's output for fed chunks and sends it to the coordinator's data link.
    package distributed func computeFeatures(chunks: [Int]) async throws {
        try await thread.perform { try $0.computeFeatures(chunks) }
    }

    /// Sends weights and optimizer state to the coordinator's data link.
    package distributed func sendState() async throws { try await thread.perform { try $0.sendState() } }

    /// The first own lane of the last step whose loss or gradient is not finite.
    package distributed func nonFiniteLane() async throws -> Int? {
        try await thread.perform { try $0.nonFiniteLane() }
    }

    /// Ends the generation: operations that wait for a link stop waiting. The state is kept.
    package distributed func abort() async { await thread.abort() }

    /// The run is over, or continues without this worker.
    package distributed func leave(_ reason: String) async { thread.leave(reason) }
}
