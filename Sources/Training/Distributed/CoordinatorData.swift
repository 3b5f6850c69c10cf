internal import BERT
internal import Tensors
internal import TextData
internal import Transport

/// What the coordinator's data thread owns: its links of the current generation, over which it feeds samples and moves states.
final class CoordinatorData {
    private let context: Context
    private let place: MeshPlace
    private var listener: MeshListener?
    private var mesh: (links: any Mesh, formation: Formation)?

    init(context: Context, place: MeshPlace) {
        self.context = context
        self.place = place
    }

    func prepare(generation: UInt32) throws -> (peer: MeshPeer, canceller: MeshCanceller) {
        mesh = nil
        let opened = try MeshListener(at: place.endpoint(generation: generation), keys: place.keys, in: context)
        let result = (MeshPeer(endpoint: place.reachable(opened.endpoint), key: place.keys?.publicKey), opened.canceller)
        listener = consume opened
        return result
    }

    /// Forms the coordinator's links; `formation` is that of any worker, with the coordinator's rank.
    func form(_ formation: Formation, sending state: TrainingState?) throws {
        guard let listener = listener.take() else { return }
        let deadline = ContinuousClock.now + DataPlane.formingTime
        let links = try listener.mesh(rank: formation.workers, roster: formation.roster, deadline: deadline)
        mesh = (links, formation)
        guard let state else { return }
        for peer in formation.stateTo {
            try StateTransfer.send(state, over: links, generation: formation.roster.generation, to: peer, deadline: deadline)
        }
    }

    /// Sends each worker the samples of its lanes of a step.
    /// - Returns: bytes of samples sent to each worker.
    func feed(_ plan: StepPlan, of dataset: TokenizedDataset) throws -> [Int] {
        guard let mesh else { return [] }
        let deadline = ContinuousClock.now + DataPlane.exchangeTime
        return try mesh.formation.lanes.enumerated().map { rank, lanes in
            var bytes = 0
            for lane in lanes[0]..<(lanes[0] + lanes[1]) {
                for (batch, samples) in plan.lanes[lane].enumerated() {
                    let payload = ShardFrame.encode(samples, of: dataset)
                    let header = FrameHeader(
                        kind: ShardFrame.Kind.lane.rawValue, sender: UInt16(mesh.links.rank), generation: mesh.formation.roster.generation,
                        step: UInt64(plan.step), bucket: UInt32(lane), offset: UInt64(batch), count: UInt64(samples.count))
                    try unsafe mesh.links.send(header, payload: payload.span.bytes, to: rank, deadline: deadline)
                    bytes += payload.count
                }
            }
            return bytes
        }
    }

    /// Sends each worker the samples of its evaluation chunks.
    func feed(_ chunks: [[Int]], of dataset: TokenizedDataset) throws {
        guard let mesh else { return }
        let deadline = ContinuousClock.now + DataPlane.exchangeTime
        let ranges = Evaluation.chunks(of: dataset.count)
        // Round by round, so that no worker's queue fills while another waits.
        for round in 0..<(chunks.map(\.count).max() ?? 0) {
            for (rank, own) in chunks.enumerated() where round < own.count {
                let samples = ranges[own[round]].map { PlannedSample(sample: Int32($0), position: 0) }
                let payload = ShardFrame.encode(samples, of: dataset)
                let header = FrameHeader(
                    kind: ShardFrame.Kind.chunk.rawValue, sender: UInt16(mesh.links.rank), generation: mesh.formation.roster.generation, step: 0,
                    bucket: UInt32(own[round]), offset: 0, count: UInt64(samples.count))
                try unsafe mesh.links.send(header, payload: payload.span.bytes, to: rank, deadline: deadline)
            }
        }
    }

    /// Receives a worker's state.
    func receiveState(of model: BERTModel, from rank: Int) throws -> TrainingState {
        guard let mesh else { throw WorkerFailure.generationEnded("the coordinator has no links") }
        let layout = model.layout
        var state = TrainingState(
            parameters: FloatBuffer(count: layout.count), first: FloatBuffer(count: layout.stateCount),
            second: FloatBuffer(count: layout.stateCount), touched: TouchedRows(rows: layout.sparseTable?.shape[0] ?? 0))
        let deadline = ContinuousClock.now + DataPlane.exchangeTime
        try StateTransfer.receive(into: &state) { () throws(MeshError) in
            while true {
                let frame = try mesh.links.receive(deadline: deadline)
                if Int(frame.header.sender) == rank { return frame }
            }
        }
        return state
    }

    /// Ends the links.
    func leaveGroup() {
        listener = nil
        mesh = nil
    }
}
