internal import BERT
package import Cluster
internal import Configuration
package import Console
internal import Distributed
package import Learning
internal import Logging
package import Runs
internal import Telemetry
internal import Tensors
internal import TextData
internal import Tracing
internal import Transport
internal import Wording

/// Steps computed by workers: forms generations, feeds samples, compares workers' reports, commits.
///
/// The workers hold the state. If all of them are lost at once, it reverts to the newest checkpoint, and the steps
/// since then are recomputed, with the same bits. The run's journal has all that this process must not forget.
package final class CoordinatorEngine<System: ControlPlane>: StepEngine {
    typealias Proxy = Worker<System>

    let inputs: RunInputs
    let system: System
    let membership: Membership
    let data: DataThread<CoordinatorData>
    /// As of the newest generation.
    var run: RunDescription
    /// Workers to wait for before the first step.
    let wanted: Int
    let surroundings: any Surroundings
    let display: RunDisplay
    let stop: StopRequest
    let ledger: Ledger
    let journal: RunJournal
    /// The state after a step, if no worker has one; released once a worker has a newer one.
    var ownState: (state: TrainingState, step: Int)?
    var group: Group?
    var generation: UInt32
    /// The step of the workers' state, or of `ownState`.
    var position: RunPosition
    var isFirst = true
    /// Reminds the user that the run waits for workers.
    var reminder: WaitingReminder?
    /// Deadline for the return of workers of an earlier coordinator of this run; nil if there was none.
    let patience: ContinuousClock.Instant?
    /// Decides when a worker counts as stalled.
    var pace: StepPace
    /// The workers of the newest generation with established links.
    var linked: Set<ActorAddress> = []
    var linkPatience = LinkPatience()
    /// Generations that ended since the last step was done, without a worker lost.
    var fruitlessEnds = FruitlessEnds()
    var seenWorkers = 0
    var knownStates = KnownStates()
    /// Notes what happens to generations in the run's metrics.
    var record: (any MetricsEvent) -> Void = { _ in }
    /// The command that resumes the run, for messages.
    var resumeCommand = "apus train --resume"
    /// Threads of the workers of the newest generation.
    var seenThreads: ClosedRange<Int>?
    private let beganAt: Int
    /// Steps recomputed since the last report of a step.
    private var recomputed = RecomputedSteps()
    /// The newest step whose state, on workers of an earlier coordinator, this one may continue from.
    let newestUsable: Int
    /// States before this step cannot be used.
    var floor: Int { position.floor(base: journal.history.base) }
    /// Of the datasets that were used since the encoder is frozen.
    var featureStores: [Split: FeatureStore] = [:]

    /// The workers of one generation, by rank.
    struct Group {
        let members: [Membership.Member]
        let proxies: [Worker<System>]
        let formation: Formation
        let canceller: MeshCanceller
        /// Whether the encoder is frozen, so that samples are sent with its output.
        let hasFeatures: Bool
    }

    /// - Parameters:
    ///   - state: the initial one, after step `step`, if no worker has a newer one of this run.
    ///   - newest: the newest step whose state on workers of an earlier coordinator can be used.
    ///   - journal: of this run; with the history of an earlier coordinator if there was one.
    ///   - patience: how long to wait for workers of that earlier coordinator; nil if there was none.
    ///   - wanted: workers to wait for before the first step.
    /// - Throws: ``RunError`` if the journal does not match these inputs.
    package init(
        inputs: RunInputs, state: TrainingState, step: Int, newest: Int, journal: RunJournal, patience: Duration?,
        wanted: Int, system: System,
        membership: Membership, data: CoordinatorDataThread, display: RunDisplay, stop: StopRequest,
        surroundings: any Surroundings = SystemSurroundings()
    ) throws {
        let history = journal.history
        self.inputs = inputs
        ownState = (state, step)
        self.journal = journal
        self.system = system
        self.membership = membership
        self.data = data.thread
        self.wanted = wanted
        self.display = display
        self.stop = stop
        self.surroundings = surroundings
        pace = StepPace(floor: .seconds(inputs.configuration.progressTimeout))
        self.patience = patience.map { surroundings.now + $0 }
        beganAt = step
        newestUsable = newest
        generation = history.generation
        position = RunPosition(history)
        ledger = try Ledger(inputs.plan, history)
        run = RunDescription(
            id: history.run, shape: inputs.model.shape, head: inputs.model.head, source: inputs.model.source,
            loss: inputs.model.loss, freeze: inputs.freeze(ofStep: history.step + 1), lora: inputs.model.lora,
            precision: inputs.model.precision, laneCount: inputs.plan.laneCount,
            seed: inputs.configuration.seed, hasTypes: inputs.datasets.values.contains { $0.types != nil },
            recompute: inputs.configuration.recompute)
        stop.whenRequested { membership.wake() }
    }

    package var workers: Int { max(seenWorkers, group?.members.count ?? (isFirst ? wanted : 0)) }
    package var threads: Int { seenThreads?.upperBound ?? inputs.configuration.threads }
    package var fewestThreads: Int { seenThreads?.lowerBound ?? inputs.configuration.threads }

    // MARK: Steps

    /// Forms the first generation, whose workers may know of more steps than the journal: its host may have lost the
    /// last writes.
    package func begin(after step: Int) async throws -> RunBeginning {
        _ = try await formed { inputs.freeze(ofStep: min(position.committed + 1, inputs.plan.totalSteps)) }
        guard position.reached > step else { return RunBeginning(step: step) }
        return RunBeginning(step: position.reached, newest: position.newestCommit.map { StepReport($0) })
    }

    package func run(_ plan: StepPlan, next: StepPlan?, learningRate: Double) async throws -> StepReport {
        var redone = false
        // Those of an evaluation before cost no time of this step.
        recomputed = RecomputedSteps()
        let start = surroundings.now
        while true {
            let group = try await caughtUp(through: plan.step - 1, training: plan.step)
            do {
                var report = try await take(
                    plan, next: next, group, learningRate: learningRate, redone: redone, since: start)
                (report.recomputed, recomputed) = (recomputed, RecomputedSteps())
                return report
            } catch let end as GenerationEnd {
                redone = true
                await dissolve(group, because: end)
            }
        }
    }

    /// A generation whose state is that after step `last`; trains again the steps before it that were lost with all
    /// workers.
    ///
    /// - Parameter step: what the caller does then: whether that step trains the same parameters decides whether the
    ///   present generation can do it.
    private func caughtUp(through last: Int, training step: Int) async throws -> Group {
        while true {
            let group = try await formed {
                inputs.freeze(ofStep: position.committed < last ? position.committed + 1 : step)
            }
            guard position.committed < last else { return group }
            let epoch = inputs.plan.epoch(ofStep: position.committed + 1)
            let order = inputs.plan.order(ofEpoch: epoch)
            do {
                while position.committed < last, inputs.plan.epoch(ofStep: position.committed + 1) == epoch {
                    if let signal = stop.signal {
                        throw SignalStop(
                            signal: signal,
                            "stopped while step \(position.committed + 1) was recomputed; resume with: "
                                + "\(resumeCommand)"
                        )
                    }
                    let plan = inputs.plan.step(position.committed + 1, order: order)
                    _ = try await take(
                        plan, next: nil, group, learningRate: inputs.schedule.rate(step: plan.step), redone: true,
                        since: surroundings.now)
                    recomputed.add(plan)
                }
            } catch let end as GenerationEnd {
                await dissolve(group, because: end)
            }
        }
    }

    private func take(
        _ plan: StepPlan, next: StepPlan?, _ group: Group, learningRate: Double, redone: Bool,
        since start: ContinuousClock.Instant
    ) async throws -> StepReport {
        let replies = try await step(plan, next: next, group)
        return try await finish(plan, replies, group, learningRate: learningRate, redone: redone, since: start)
    }

    private func step(_ plan: StepPlan, next: StepPlan?, _ group: Group) async throws -> [StepReady] {
        guard let target = inputs.datasets[.train] else { preconditionFailure("a step needs training data") }
        let features = try await self.features(.train, group)
        let samples = TrainingData(target: target, source: inputs.datasets[.sourceTrain], features: features)
        let command = StepCommand(
            step: plan.step, commit: position.pendingCommit, batches: plan.target.batchCount,
            emptyLanes: plan.emptyLanes,
            lossScale: plan.lossScale.bitPattern, sourceBatches: plan.source?.batchCount ?? 0,
            sourceScale: plan.sourceScale.bitPattern)
        Trace.run?.trace("step", metadata: ["generation": "\(generation)", "step": "\(plan.step)"])
        // The next step's first samples are sent while this one is computed.
        let start = surroundings.now
        let feeding = data.begin { core in
            try core.feed(plan, of: samples)
            if let next { try core.feed(ahead: next, of: samples) }
        }
        let replies = try await callAll(
            group, within: pace.limit, meanwhile: { try await feeding.orEnd("samples could not be sent") }
        ) { proxy, _ in
            try await proxy.step(command)
        }
        position.tellAll()
        pace.add(surroundings.now - start, samples: plan.sampleCount)
        return replies
    }

    /// Compares the workers' reports, decides the update, commits it and counts.
    private func finish(
        _ plan: StepPlan, _ replies: [StepReady], _ group: Group, learningRate: Double, redone: Bool,
        since start: ContinuousClock.Instant
    ) async throws -> StepReport {
        let found = try checked(replies, plan, group)
        let (losses, norm) = (found.losses, found.norm)
        guard norm.isFinite, losses.allSatisfy(\.isFinite) else { throw try await nonFinite(plan, losses, group) }
        let optimizer = inputs.optimizer
        let update = optimizer.update(
            step: plan.step, learningRate: learningRate, gradientScale: optimizer.clippingFactor(norm: norm))
        let commit = Commit(
            step: plan.step, update, lossSum: losses.map(\.target).reduce(0, +),
            sourceLossSum: losses.map(\.source).reduce(0, +), norm: norm)
        // From here on the step is committed; no worker knows yet.
        let isNews = plan.step > position.reached
        journal.add(
            position.commit(
                CommittedStep(
                    incarnation: system.incarnation, generation: generation, commit: commit, plan: plan.digest,
                    lanes: found.digests, redone: redone, seconds: (surroundings.now - start).seconds)))
        Trace.run?.trace("step committed", metadata: ["generation": "\(generation)", "step": "\(plan.step)"])
        fruitlessEnds = FruitlessEnds()
        ledger.count(plan, redone: redone)
        var report = StepReport(commit)
        if plan.endsEpoch, isNews { report.samplesOfEpoch = ledger.account }
        report.generation = Int(generation)
        report.shares = replies.enumerated().map {
            WorkerShare(rank: $0, compute: $1.compute, exchange: $1.exchange, wait: $1.wait, bytes: $1.bytes)
        }
        return report
    }

    private func nonFinite(_ plan: StepPlan, _ losses: [LaneLoss], _ group: Group) async throws -> NonFiniteStep {
        var lane = losses.firstIndex { !$0.isFinite }
        if lane == nil {
            lane = try await callAll(group, within: pace.limit) { proxy, _ in try await proxy.nonFiniteLane() }
                .compactMap { $0 }.min()
        }
        return NonFiniteStep(plan, lane: lane ?? 0, origin: nil)
    }

    // MARK: State

    package func state() async throws -> TrainingState {
        if let ownState, ownState.step == position.reached { return ownState.state }
        let model = try inputs.model(ofStep: position.reached)
        let stateless = "the state did not arrive"
        return try await withCommitted { group, hash in
            let data = self.data
            let step = self.position.committed
            let arriving = data.begin { try $0.receiveState(of: model, after: step, from: 0) }
            let limit = self.pace.limit(stateOf: model.layout.count)
            _ = try await self.callAll(
                group, only: [0], within: limit, meanwhile: { _ = try await arriving.orEnd(stateless) }
            ) { proxy, _ in
                try await proxy.sendState()
            }
            let state = try await arriving.orEnd(stateless)
            guard StateHash.of(state, step: step, threads: self.inputs.configuration.threads) == hash else {
                throw GenerationEnd.failed(reason: "the received state differs from the workers' state")
            }
            return state
        }
    }

    /// Does `body` once every worker has made the newest update and all have the same state; again with others where a
    /// generation ends meanwhile.
    func withCommitted<Result>(_ body: (Group, _ hash: UInt64) async throws -> Result) async throws -> Result {
        while true {
            let last = max(1, position.reached)
            let group = try await caughtUp(through: last, training: last)
            do {
                if let commit = position.pendingCommit {
                    _ = try await callAll(group, within: pace.limit) { proxy, _ in try await proxy.commit(commit) }
                    position.tellAll()
                }
                let hashes = try await callAll(group, within: pace.limit) { proxy, _ in try await proxy.stateHash() }
                try agree(hashes, group, "after step \(position.committed)")
                return try await body(group, hashes[0])
            } catch let end as GenerationEnd {
                await dissolve(group, because: end)
            }
        }
    }

    /// Reverts the state to the newest checkpoint, or to the beginning: no worker has it any more.
    func goBack() throws {
        let found = try ownState ?? inputs.newestState(beganAt: beganAt)
        display.say(
            "no worker has the state after step \(position.committed): going back to "
                + "\(found.step == 0 ? "the beginning" : "the checkpoint of step \(found.step)"), from which the "
                + "same steps are recomputed"
        )
        ownState = found
        note(position.revert(to: found.step, base: journal.history.base))
    }

    /// Notes in journal and ledger that the state is not that of the last committed step.
    func note(_ move: JournalEntry) {
        ledger.goBack(to: position.committed)
        journal.add(move)
    }
}
