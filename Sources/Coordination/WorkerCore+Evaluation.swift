internal import BERT
internal import Learning
internal import Synchronization
internal import Tensors
internal import Transport

/// A worker's tasks other than steps: scores and features of chunks, and its state for the coordinator.
extension WorkerCore {
    /// Scores chunks whose samples the coordinator feeds.
    func evaluate(_ chunks: [Int], of stream: TaskStream) throws -> [ScoredChunk] {
        guard let group, let replica, let runner, let run else {
            throw WorkerFailure.outOfOrder("an evaluation without a generation")
        }
        let wanted = Mutex([Int: [Float]]())
        let found = try fedChunks(chunks.count, .chunk, of: stream, withFeatures: group.hasFeatures, run, group)
        let scores = ChunkScores(count: found.count)
        let canceller = group.canceller
        let weights = runner.weights(replica.parameters.view, trains: false, state: replica.version)
        inParallel(found.count, threads: threads) { piece in
            guard !canceller.isCancelled else { return }
            let score = runner.withArena {
                Evaluation.score(
                    found[piece].batch, model: runner.model, weights, arena: $0
                ) { logits in
                    if found[piece].wantsScores { wanted.withLock { $0[found[piece].chunk] = logits } }
                }
            }
            scores.set(piece, ScoredChunk(chunk: found[piece].chunk, score: score))
        }
        guard !canceller.isCancelled else { throw WorkerFailure.generationEnded("an evaluation was given up") }
        guard group.hasFeatures ? replica.isHeadIntact : replica.isIntact(rows: found.rows) else {
            throw memoryChanged(replica)
        }
        for (chunk, logits) in wanted.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            try send(logits, .scores, chunk: chunk, group)
        }
        return scores.all
    }

    /// Chunks of a dataset that the coordinator feeds.
    private func fedChunks(
        _ count: Int, _ kind: ShardFrame.Kind, of stream: TaskStream, withFeatures: Bool, _ run: RunDescription,
        _ group: Group
    ) throws -> [FedChunk] {
        let deadline = surroundings.now + DataPlane.exchangeTime
        return try (0..<count).map { _ in
            let frame = try group.mesh.receiveFed(deadline: deadline) {
                $0.kind == kind.rawValue && $0.generation == group.generation
                    && Int($0.sender) == group.mesh.coordinator
            }
            let bytes = frame.withPayload { payload in unsafe payload.withUnsafeBytes { unsafe Array($0) } }
            guard
                let packed = ShardFrame.decode(
                    bytes, count: frame.header.count, run: run, stream: stream, withFeatures: withFeatures)
            else {
                throw WorkerFailure.generationEnded("the samples of chunk \(frame.header.bucket) cannot be read")
            }
            return FedChunk(chunk: Int(frame.header.bucket), batch: packed, wantsScores: frame.header.offset == 1)
        }
    }

    /// Computes the features of chunks whose samples the coordinator feeds, and sends them to it.
    func computeFeatures(_ chunks: [Int]) throws {
        guard let group, let replica, let runner, let run else {
            throw WorkerFailure.outOfOrder("features without a generation")
        }
        let found = try fedChunks(chunks.count, .featureChunk, of: .target, withFeatures: false, run, group)
        let canceller = group.canceller
        let features = Mutex([[Float]](repeating: [], count: found.count))
        let weights = runner.weights(replica.parameters.view, trains: false, state: replica.version)
        inParallel(found.count, threads: threads) { piece in
            guard !canceller.isCancelled else { return }
            let values = runner.withArena {
                Evaluation.features(
                    found[piece].batch, model: runner.model, weights, arena: $0)
            }
            features.withLock { $0[piece] = values }
        }
        guard !canceller.isCancelled else { throw WorkerFailure.generationEnded("features were given up") }
        guard replica.isIntact(rows: found.rows) else { throw memoryChanged(replica) }
        for (piece, values) in features.withLock({ $0 }).enumerated() {
            try send(values, .features, chunk: found[piece].chunk, group)
        }
    }

    /// Sends the results of a chunk to the coordinator.
    private func send(_ values: [Float], _ kind: ShardFrame.Kind, chunk: Int, _ group: Group) throws {
        let header = FrameHeader(
            kind: kind.rawValue, sender: UInt16(group.mesh.rank), generation: group.generation, step: 0,
            bucket: UInt32(chunk), offset: 0,
            count: UInt64(values.count))
        try unsafe group.mesh.send(
            header, payload: values.span.bytes, to: group.mesh.coordinator,
            deadline: surroundings.now + DataPlane.exchangeTime)
    }

    /// Sends the whole state to the coordinator.
    func sendState() throws {
        guard let group, let replica else { throw WorkerFailure.outOfOrder("no state to send") }
        try StateTransfer.send(
            replica.state, after: replica.step, over: group.mesh, generation: group.generation,
            to: group.mesh.coordinator,
            deadline: surroundings.now + DataPlane.stateTime(parameters: replica.parameters.count))
    }
}

/// A chunk of a dataset that the coordinator fed.
private struct FedChunk: Sendable {
    let chunk: Int
    let batch: PackedBatch
    let wantsScores: Bool
}

extension [FedChunk] {
    /// The rows of the word table that these chunks read.
    fileprivate var rows: some Sequence<Int32> { lazy.flatMap(\.batch.ids) }
}
