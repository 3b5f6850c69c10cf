internal import BERT
internal import Collectives
internal import Console
internal import Kernels
internal import Learning
internal import Reduction
internal import Runs
internal import Tensors
internal import Transport
internal import Wording

/// The state of a worker's data thread: its replica, its lanes and the links of the current generation.
final class WorkerCore {
    let threads: Int
    private let endpoints: any GenerationLinks
    let surroundings: any Surroundings
    private let bucket: Int?
    var run: RunDescription?
    var replica: Replica?
    var runner: LaneRunner?
    /// Whether the replica has a complete state: it has none before the first arrives, and only a part during a
    /// transfer.
    private var hasState = false
    /// Step of the replica's state; nil without a complete state. Only the replica knows it: no message can
    /// relabel a state.
    private var committedStep: Int? { hasState ? replica?.step : nil }
    /// The gradient of the step that was reported ready, until its commit or its abort is seen.
    ///
    /// It is in the shared memory of its generation, which stays mapped for it. No rank of that generation writes there
    /// again before this one begins another exchange, and later generations have their own memory.
    private var kept: (step: Int, gradient: StepGradient)?
    /// The samples of the step that was computed last; their memory is reused.
    private var work = LaneWork()
    /// The commit of `committedStep`, for a coordinator that lost it.
    private var newestCommit: Commit?
    /// Whether the user knows that this process cannot share memory with its host's other workers.
    private var saidUnshared = false
    var group: Group?

    /// The links of one generation and the exchanges over them.
    struct Group {
        let formation: Formation
        let mesh: WorkerMesh
        let canceller: MeshCanceller
        let links: ExchangeLinks
        let dense: GradientExchange
        let rows: RowExchange
        /// Whether samples come with features instead of their tokens.
        let hasFeatures: Bool
        var generation: UInt32 { formation.roster.generation }
        var ownLanes: Range<Int> { formation.ownLanes }
    }

    /// - Parameter bucket: elements of a bucket of the gradient; nil for the usual size. The same in all workers.
    init(threads: Int, _ endpoints: any GenerationLinks, surroundings: any Surroundings, bucket: Int? = nil) {
        self.threads = threads
        self.endpoints = endpoints
        self.surroundings = surroundings
        self.bucket = bucket
    }

    deinit { endGroup() }

    /// This worker's present state.
    var held: HeldState {
        guard let committedStep, let replica else { return HeldState() }
        return HeldState(
            run: run?.id, committedStep: committedStep, keptStep: kept?.step, commit: newestCommit, hash: replica.hash)
    }

    // MARK: Forming

    /// Leaves the group and opens the endpoint at which the other ranks of the next generation find this one.
    ///
    /// The report is made after all work that the ended generation requested. Calls of that generation are refused
    /// from here on, so that it holds until the new one is formed.
    func prepare(generation: UInt32) throws -> (ready: PreparedWorker, canceller: MeshCanceller) {
        leaveGroup()
        let (peer, canceller) = try endpoints.open(generation: generation)
        return (PreparedWorker(peer: peer, held: held), canceller)
    }

    /// Ends MPI, together with all other workers.
    func leaveWorld() {
        leaveGroup()
        endpoints.leaveWorld()
    }

    /// Forms the generation: links, state, memory.
    func form(_ formation: Formation) throws -> HeldState {
        guard let canceller = endpoints.canceller(of: formation.roster.generation) else {
            throw WorkerFailure.outOfOrder(
                "generation \(formation.roster.generation) was formed before it was prepared")
        }
        if let commit = formation.commit { try self.commit(commit) }
        try checkBeginning(of: formation)
        // The gradient in the ended generation's memory is applied or dropped before that memory is released.
        kept = nil
        endGroup()
        try takeUp(formation)
        let generation = formation.roster.generation
        guard let model = replica?.model else { preconditionFailure("a formed worker has a model") }
        let state = formation.stateFrom == nil ? 0 : StateTransfer.bytes(of: model.layout)
        let mesh = WorkerMesh(try establishLinks(formation, early: state))
        // Workers that have the state wait for those that receive it.
        let deadline =
            surroundings.now + DataPlane.formingTime
            + DataPlane.transferTime(parameters: model.layout.count, workers: formation.workers)
        try transferState(formation, mesh, deadline: deadline)
        let links = ExchangeLinks(mesh: mesh, generation: generation)
        let plan = ExchangePlan(
            laneCount: formation.run.laneCount, lanes: formation.lanes,
            hosts: formation.hosts,
            count: model.layout.denseCount, rowWidth: model.layout.sparseTable == nil ? 0 : model.shape.width,
            cut: BucketCut(size: bucket, late: model.lateGradient))
        var random = SystemRandomNumberGenerator()
        let memory = try HostMemory.establish(
            plan, links: links, step: 0, bucket: 0, deadline: deadline, generator: &random)
        if let failure = memory.failure, !saidUnshared {
            saidUnshared = true
            sayToUser("\(failure)")
        }
        let threads = threads
        let allReduce = AllReduce(plan: memory.plan, memory: memory.memory, links: links) { count, body in
            inParallel(count, threads: threads, body)
        }
        group = Group(
            formation: formation, mesh: mesh, canceller: canceller, links: links,
            dense: GradientExchange(
                allReduce, canceller: canceller, isBound: endpoints.areBound, surroundings: surroundings),
            rows: RowExchange(plan: memory.plan, links: links, memory: memory.memory),
            hasFeatures: model.hasFixedFeatures)
        newestCommit = formation.newest ?? newestCommit.flatMap { $0.step == formation.step ? $0 : nil }
        return held
    }

    /// - Throws: ``WorkerFailure/unlinked(ranks:_:)`` if links are missing, ``MeshError``.
    private func establishLinks(_ formation: Formation, early: Int) throws -> any Mesh {
        do throws(MeshError) {
            return try endpoints.mesh(
                rank: formation.rank, formation.roster, early: early, within: .seconds(formation.linkSeconds))
        } catch {
            guard let ranks = error.unlinked else { throw error }
            throw WorkerFailure.unlinked(ranks: ranks, "\(ExchangeError.mesh(error))")
        }
    }

    /// Refuses a generation that begins after another step than that of this worker's state, unless it receives a
    /// state.
    ///
    /// The coordinator decided by an outdated report. Its generation ends, and the next one asks again.
    private func checkBeginning(of formation: Formation) throws {
        guard formation.stateFrom == nil else { return }
        guard run?.id == formation.run.id, committedStep == formation.step else {
            let held = committedStep.map { "after step \($0)" } ?? "absent"
            throw WorkerFailure.outOfOrder(
                "generation \(formation.roster.generation) begins after step \(formation.step), and this worker's "
                    + "state is \(held)"
            )
        }
    }

    /// Creates the model of a run; an existing state is kept, even if the run trains other parameters from now on.
    /// - Throws: ``InputError`` if the system does not give this process enough address space for it.
    private func takeUp(_ formation: Formation) throws {
        let next = formation.run
        guard run != next || replica == nil else { return }
        let frozen = try FrozenParameters(next.freeze, lora: next.lora)
        if let replica, run?.id == next.id {
            // The converted state counts as correct afterwards.
            guard committedStep == nil || replica.isIntact else { throw memoryChanged(replica) }
            let model = replica.model.freezing(frozen.contains)
            self.replica = Replica(
                model: model, state: replica.state.converted(from: replica.model, to: model), step: replica.step,
                threads: threads, isWatched: true)
            self.replica?.trust(asOf: replica.step)
            runner = LaneRunner(model: model, laneCount: next.laneCount, threads: threads, recompute: next.recompute)
            run = next
            return
        }
        let model = BERTModel(
            shape: next.shape, head: next.head, source: next.source, loss: next.loss, lora: next.lora,
            precision: next.precision, isFrozen: frozen.contains)
        try MemoryCheck.run(model, formation, threads: threads)
        let count = model.layout.count
        replica = Replica(
            model: model, parameters: FloatBuffer(count: count, whole: count), threads: threads, isWatched: true)
        runner = LaneRunner(model: model, laneCount: next.laneCount, threads: threads, recompute: next.recompute)
        run = next
        kept = nil
        hasState = false
        newestCommit = nil
    }

    private func transferState(_ formation: Formation, _ mesh: WorkerMesh, deadline: ContinuousClock.Instant) throws {
        guard let replica else { return }
        let generation = formation.roster.generation
        // A received state counts as correct.
        guard formation.stateTo.isEmpty || replica.isIntact else { throw memoryChanged(replica) }
        for peer in formation.stateTo {
            try StateTransfer.send(
                replica.state, after: replica.step, over: mesh, generation: generation, to: peer, deadline: deadline)
        }
        guard let donor = formation.stateFrom else { return }
        hasState = false
        var state = replica.state
        try StateTransfer.receive(into: &state, after: formation.step) { () throws(MeshError) in
            try mesh.receiveFed(deadline: deadline) { Int($0.sender) == donor && $0.generation == generation }
        }
        replica.touched = state.touched
        replica.trust(asOf: formation.step)
        // From here on this worker has the state, even if this generation fails.
        hasState = true
        newestCommit = formation.newest
    }

    /// Ends the links; keeps the state, and a gradient whose commit may still arrive.
    func leaveGroup() {
        endpoints.close()
        endGroup()
    }

    private func endGroup() {
        group?.dense.end()
        group = nil
    }

    // MARK: Steps

    /// Computes the own lanes of a step and takes part in its all-reduce. To look at a worker's step in a debugger, set
    /// the breakpoint here.
    func step(_ command: StepCommand) throws -> StepReady {
        if let commit = command.commit { try self.commit(commit) }
        guard let group, let replica, let runner else { throw WorkerFailure.outOfOrder("a step without a generation") }
        guard let committedStep, command.step == committedStep + 1 else { throw outOfOrder("step \(command.step)") }
        kept = nil
        let start = surroundings.now
        try takeLanes(command, group)
        let (fed, step, surroundings) = (surroundings.now, UInt64(command.step), surroundings)
        // Another rank may take several times as long as this one.
        let limit: @Sendable () -> ContinuousClock.Instant = {
            let now = surroundings.now
            return now + DataPlane.exchangeTime + (now - fed) * StepPace.patience
        }
        let before = group.links.counters
        group.dense.begin(step: step, emptyLanes: Set(command.emptyLanes), limit: limit)
        defer { group.dense.abandon() }
        let results = runner.run(
            work, parameters: replica.parameters.view, into: group.dense.allReduce.blocks,
            whenFinal: group.dense.whenFinal)
        // After this step's last read of them, and before any rank has the sum computed from them.
        guard group.hasFeatures ? replica.isHeadIntact : replica.isIntact(rows: work.rows) else {
            throw memoryChanged(replica)
        }
        let computed = surroundings.now
        let ownRows = results.blocks.map(\.rows)
        let hasRows = replica.model.layout.sparseTable != nil
        if hasRows { group.rows.publish(ownRows) }
        let dense = try group.dense.finish()
        // Without a dense part no lane has samples.
        let rows =
            hasRows && dense != nil
            ? try group.rows.run(
                ownRows, width: replica.model.shape.width, rows: replica.model.shape.vocabulary, step: step,
                bucket: UInt32(group.dense.allReduce.plan.buckets.count),
                deadline: computed + DataPlane.exchangeTime + (computed - fed) * StepPace.patience)
            : nil
        for block in results.blocks { runner.pool.rows.give(back: block.rows) }
        let gradient = StepGradient(dense: dense, rows: rows)
        let norm = replica.norm(of: gradient)
        kept = (command.step, gradient)
        let after = group.links.counters
        let waiting = (after.waiting - before.waiting).seconds
        return StepReady(
            step: command.step, losses: results.losses.map(\.bitPattern),
            sourceLosses: results.sourceLosses.map(\.bitPattern),
            digests: work.lanes.map(SampleDigest.of), norm: norm.bitPattern,
            state: replica.hash, compute: (computed - fed).seconds,
            exchange: (surroundings.now - computed).seconds - waiting,
            wait: (fed - start).seconds + waiting,
            bytes: after.bytesSent - before.bytesSent + after.bytesShared - before.bytesShared)
    }

    /// Extracts the own lanes' samples of a step from the frames of the coordinator.
    private func takeLanes(_ command: StepCommand, _ group: Group) throws {
        guard let run else { throw WorkerFailure.outOfOrder("a step without a run") }
        let own = group.ownLanes
        let count = command.batches + command.sourceBatches
        if work.lanes.count != own.count || work.lanes.contains(where: { $0.count != count }) {
            work.lanes = own.map { _ in [PackedBatch](repeating: PackedBatch(), count: count) }
        }
        var missing = [Bool](repeating: true, count: own.count * count)
        let deadline = surroundings.now + DataPlane.exchangeTime
        let kinds = [ShardFrame.Kind.lane.rawValue, ShardFrame.Kind.sourceLane.rawValue]
        for _ in 0..<(own.count * count) {
            let frame = try group.mesh.receiveFed(deadline: deadline) {
                kinds.contains($0.kind) && $0.step == UInt64(command.step) && $0.generation == group.generation
                    && Int($0.sender) == group.mesh.coordinator
            }
            let stream = frame.header.kind == ShardFrame.Kind.lane.rawValue ? TaskStream.target : .source
            let (lane, batch) = (Int(frame.header.bucket), Int(clamping: frame.header.offset))
            let batches = stream == .target ? command.batches : command.sourceBatches
            func unexpected() -> WorkerFailure {
                .generationEnded("the samples of step \(command.step) are not those of lanes \(own)")
            }
            guard own.contains(lane), (0..<batches).contains(batch) else { throw unexpected() }
            let place = (lane: lane - own.lowerBound, batch: stream == .target ? batch : command.batches + batch)
            let isRead = frame.withPayload { bytes in
                ShardFrame.decode(
                    bytes, count: frame.header.count, run: run, stream: stream, withFeatures: group.hasFeatures,
                    into: &work.lanes[place.lane][place.batch])
            }
            guard isRead, missing[place.lane * count + place.batch] else { throw unexpected() }
            missing[place.lane * count + place.batch] = false
        }
        work.firstLane = own.lowerBound
        work.lossScale = Float(bitPattern: command.lossScale)
        work.sourceScale = Float(bitPattern: command.sourceScale)
        work.dropout = DropoutContext(
            run.shape, key: DropoutKey(seed: run.seed, step: command.step), adapter: run.lora?.dropout ?? 0)
    }

    /// Makes the update of the step whose gradient is kept. A second commit of the same step changes nothing.
    func commit(_ commit: Commit) throws {
        guard commit.step != committedStep else { return }
        guard let replica, let kept, kept.step == commit.step, commit.step - 1 == committedStep,
            let update = OptimizerUpdate(bits: commit.constants)
        else { throw outOfOrder("the commit of step \(commit.step)") }
        replica.apply(kept.gradient, update)
        newestCommit = commit
        self.kept = nil
    }

    func memoryChanged(_ replica: Replica) -> WorkerFailure {
        .memoryChanged("its memory no longer holds the weights that it wrote there after step \(committedStep ?? 0)")
    }

    /// The hash of the whole state, compared with the contents of memory.
    func stateHash() throws -> UInt64 {
        guard let replica, committedStep != nil else { throw WorkerFailure.outOfOrder("no state to hash") }
        guard replica.isIntact else { throw memoryChanged(replica) }
        return replica.hash
    }

    private func outOfOrder(_ what: String) -> WorkerFailure {
        .outOfOrder("\(what) came \(committedStep.map { "after step \($0)" } ?? "before any state")")
    }

    /// The first of the own lanes whose loss or gradient is not finite, each recomputed separately.
    func nonFiniteLane() throws -> Int? {
        guard kept != nil, let replica, let runner else { throw WorkerFailure.outOfOrder("no step to examine") }
        for lane in work.lanes.indices {
            var alone = work
            alone.lanes = work.lanes.enumerated().map { $0 == lane ? $1 : [] }
            let results = runner.run(alone, parameters: replica.parameters.view)
            defer { for block in results.blocks { runner.pool.give(back: block) } }
            let isFinite =
                results.laneLosses.allSatisfy(\.isFinite)
                && results.blocks.allSatisfy { replica.norm(of: StepGradient($0)).isFinite }
            if !isFinite { return alone.firstLane + lane }
        }
        return nil
    }
}

extension LaneWork {
    /// The rows of the word table that the step reads.
    fileprivate var rows: some Sequence<Int32> { lanes.lazy.joined().lazy.flatMap(\.ids) }
}

extension Formation {
    var ownLanes: Range<Int> { lanes[rank] }
}
