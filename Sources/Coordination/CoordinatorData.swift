internal import BERT
internal import Learning
internal import Tensors
internal import TextData
internal import Transport
internal import Wording

/// The samples of the steps.
struct TrainingData: Sendable {
    let target: TokenizedDataset
    /// Of the source task, if there is one.
    let source: TokenizedDataset?
    /// Sent instead of the target samples' tokens if the encoder is frozen and there is no source task.
    let features: FeatureStore?
}

/// The state of the coordinator's data thread: its links of the current generation, which carry samples and states.
final class CoordinatorData {
    private let endpoints: any GenerationLinks
    private let surroundings: any Surroundings
    private var mesh: (links: any Mesh, formation: Formation)?
    /// The newest step of which frames were sent in this generation, and at most how many to each worker.
    private var ahead = (step: 0, frames: 0)

    init(_ endpoints: any GenerationLinks, surroundings: any Surroundings = SystemSurroundings()) {
        self.endpoints = endpoints
        self.surroundings = surroundings
    }

    convenience init(context: Context, place: MeshPlace, refusals: RefusalCount) {
        self.init(CoordinatorLinks(context: context, place: place, refusals: refusals))
    }

    func prepare(generation: UInt32) throws -> (peer: MeshPeer, canceller: MeshCanceller) {
        leaveGroup()
        return try endpoints.open(generation: generation)
    }

    /// Forms the coordinator's links; `formation` is that of any worker, with the coordinator's rank.
    func form(_ formation: Formation, sending state: TrainingState?) throws {
        guard endpoints.canceller(of: formation.roster.generation) != nil else { return }
        let links = try endpoints.mesh(
            rank: formation.workers, formation.roster, early: 0, within: .seconds(formation.linkSeconds))
        mesh = (links, formation)
        ahead = (0, 0)
        guard let state else { return }
        let deadline =
            surroundings.now + DataPlane.formingTime
            + DataPlane.transferTime(parameters: state.parameters.count, workers: formation.workers)
        for peer in formation.stateTo {
            try StateTransfer.send(
                state, after: formation.step, over: links, generation: formation.roster.generation, to: peer,
                deadline: deadline)
        }
    }

    /// Sends each worker the samples of its lanes of a step, unless they are already sent.
    func feed(_ plan: StepPlan, of data: TrainingData) throws { try feed(plan, of: data, limit: .max) }

    /// Sends as much of a future step as its links can queue while the workers do not read.
    func feed(ahead plan: StepPlan, of data: TrainingData) throws { try feed(plan, of: data, limit: Self.aheadLimit) }

    /// Half of a link's queue.
    private static let aheadLimit = 16

    /// - Parameter limit: frames to each worker.
    private func feed(_ plan: StepPlan, of data: TrainingData, limit: Int) throws {
        guard let mesh else { return }
        let deadline = surroundings.now + DataPlane.exchangeTime
        let begun = ahead.step == plan.step ? ahead.frames : 0
        let streams: [(ShardFrame.Kind, StreamPlan, TokenizedDataset)] =
            [(.lane, plan.target, data.target)]
            + (plan.source.flatMap { source in data.source.map { [(.sourceLane, source, $0)] } } ?? [])
        for (rank, lanes) in mesh.formation.lanes.enumerated() {
            let frames = lanes.flatMap { lane in
                streams.indices.flatMap { stream in streams[stream].1.lanes[lane].indices.map { (lane, stream, $0) } }
            }
            for (lane, stream, batch) in frames.prefix(limit).dropFirst(begun) {
                let (kind, planned, dataset) = streams[stream]
                let samples = planned.lanes[lane][batch]
                let payload = ShardFrame.encode(
                    samples, of: dataset, features: data.features, step: plan.step,
                    withTypes: mesh.formation.run.hasTypes)
                guard payload.count <= DataPlane.longestFrame else {
                    throw RunError(
                        "the samples of lane \(lane) in step \(plan.step) take \(payload.count >> 20) MiB, "
                            + "\(DataPlane.longestFrame >> 20) MiB is the limit of a link at "
                            + "once: choose a smaller --batch-size with --accumulate, or more --lanes")
                }
                let header = FrameHeader(
                    kind: kind.rawValue, sender: UInt16(mesh.links.rank), generation: mesh.formation.roster.generation,
                    step: UInt64(plan.step), bucket: UInt32(lane), offset: UInt64(batch), count: UInt64(samples.count))
                try unsafe mesh.links.send(header, payload: payload.span.bytes, to: rank, deadline: deadline)
            }
        }
        ahead = (plan.step, limit)
    }

    /// Receives the features of this many chunks.
    func receiveFeatures(_ count: Int, of dataset: TokenizedDataset, into store: FeatureStore) throws {
        guard let mesh else { throw WorkerFailure.generationEnded("the coordinator has no links") }
        let chunks = Evaluation.chunks(of: dataset.count)
        let width = store.values.columns
        for _ in 0..<count {
            let frame = try mesh.links.receive(deadline: surroundings.now + DataPlane.exchangeTime)
            let chunk = Int(frame.header.bucket)
            guard frame.header.kind == ShardFrame.Kind.features.rawValue, chunks.indices.contains(chunk) else {
                throw MeshError.lost(rank: Int(frame.header.sender))
            }
            let values = FloatBuffer(count: chunks[chunk].count * width).view
            guard StateTransfer.copy(frame, to: values) else { throw MeshError.lost(rank: Int(frame.header.sender)) }
            store.set(chunks[chunk], values)
        }
    }

    /// Receives the scores of these chunks, in any order.
    func receiveScores(_ chunks: Set<Int>, into scores: EvaluationScores) throws {
        guard let mesh else { throw WorkerFailure.generationEnded("the coordinator has no links") }
        var missing = chunks
        while !missing.isEmpty {
            let frame = try mesh.links.receive(deadline: surroundings.now + DataPlane.exchangeTime)
            let chunk = Int(frame.header.bucket)
            guard frame.header.kind == ShardFrame.Kind.scores.rawValue, missing.remove(chunk) != nil,
                StateTransfer.copy(frame, to: scores.part(of: chunk))
            else { throw MeshError.lost(rank: Int(frame.header.sender)) }
        }
    }

    /// Sends each worker the samples of its chunks, for an evaluation or for their features.
    /// - Parameter scored: the chunks whose scores are returned.
    func feed(
        _ chunks: [[Int]], of dataset: TokenizedDataset, as kind: ShardFrame.Kind, features: FeatureStore?,
        scored: ScorePlan? = nil
    ) throws {
        guard let mesh else { return }
        let deadline = surroundings.now + DataPlane.exchangeTime
        let ranges = Evaluation.chunks(of: dataset.count)
        // In rounds, so that no worker's queue fills while another waits.
        for round in 0..<(chunks.map(\.count).max() ?? 0) {
            for (rank, own) in chunks.enumerated() where round < own.count {
                let samples = ranges[own[round]].map(PlannedSample.init(evaluated:))
                let payload = ShardFrame.encode(
                    samples, of: dataset, features: features, step: 0, withTypes: mesh.formation.run.hasTypes)
                let header = FrameHeader(
                    kind: kind.rawValue, sender: UInt16(mesh.links.rank), generation: mesh.formation.roster.generation,
                    step: 0,
                    bucket: UInt32(own[round]), offset: scored?.keeps(own[round]) == true ? 1 : 0,
                    count: UInt64(samples.count))
                try unsafe mesh.links.send(header, payload: payload.span.bytes, to: rank, deadline: deadline)
            }
        }
    }

    /// Receives a worker's state after `step`.
    func receiveState(of model: BERTModel, after step: Int, from rank: Int) throws -> TrainingState {
        guard let mesh else { throw WorkerFailure.generationEnded("the coordinator has no links") }
        let layout = model.layout
        var state = TrainingState(
            parameters: FloatBuffer(count: layout.count), first: FloatBuffer(count: layout.stateCount),
            second: FloatBuffer(count: layout.stateCount), touched: TouchedRows(rows: layout.sparseTable?.shape[0] ?? 0)
        )
        let deadline = surroundings.now + DataPlane.stateTime(parameters: layout.count)
        try StateTransfer.receive(into: &state, after: step) { () throws(MeshError) in
            while true {
                let frame = try mesh.links.receive(deadline: deadline)
                if Int(frame.header.sender) == rank { return frame }
            }
        }
        return state
    }

    /// Ends the links.
    func leaveGroup() {
        endpoints.close()
        mesh = nil
    }
}

/// The coordinator's data thread.
package struct CoordinatorDataThread: Sendable {
    let thread: DataThread<CoordinatorData>
    let refusals: RefusalCount

    init(context: Context, place: MeshPlace) {
        let refusals = RefusalCount()
        self.init(refusals: refusals) {
            CoordinatorLinks(context: context, place: place, refusals: refusals)
        }
    }

    /// - Parameter links: makes the process's links, on the data thread.
    init(
        refusals: RefusalCount = RefusalCount(), surroundings: any Surroundings = SystemSurroundings(),
        links: @escaping @Sendable () -> any GenerationLinks
    ) {
        self.refusals = refusals
        thread = DataThread(name: "apus data", surroundings: surroundings) {
            CoordinatorData(links(), surroundings: surroundings)
        }
    }
}
