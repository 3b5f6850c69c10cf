internal import BERT
package import Cluster
internal import Distributed
internal import Synchronization
internal import Tensors
internal import TextData
internal import Transport

/// Steps computed by workers: forms generations, feeds samples, compares what workers report, commits.
package final class CoordinatorEngine: StepEngine {
    private typealias Proxy = Worker<ZeroMQActorSystem>

    private let inputs: RunInputs
    private let system: ZeroMQActorSystem
    private let membership: Membership
    private let data: DataThread<CoordinatorData>
    private let run: RunDescription
    private let wanted: Int
    private let display: RunDisplay
    private let ledger = Ledger()
    /// The state before any worker had one; given up once a worker has it.
    private var source: TrainingState?
    private var group: Group?
    private var generation: UInt32 = 0
    private var committedStep: Int
    /// The newest commit, kept for workers that have not made it yet.
    private var lastCommit: Commit?
    /// Whether the workers of this generation still have to be told of it.
    private var commitIsPending = false
    private var fedStep = 0
    private var isFirst = true
    private var seenWorkers = 0

    /// The workers of one generation, by rank.
    private struct Group {
        let members: [Membership.Member]
        let proxies: [Worker<ZeroMQActorSystem>]
        let formation: Formation
        let canceller: MeshCanceller
    }

    package init(
        inputs: RunInputs, source: TrainingState, step: Int, wanted: Int, system: ZeroMQActorSystem, membership: Membership,
        data: CoordinatorDataThread, display: RunDisplay
    ) {
        self.inputs = inputs
        self.source = source
        self.system = system
        self.membership = membership
        self.data = data.thread
        self.wanted = wanted
        self.display = display
        committedStep = step
        run = RunDescription(
            id: UInt64.random(in: 1...UInt64(Int64.max)), shape: inputs.model.shape, head: inputs.model.head, freeze: inputs.configuration.freeze,
            laneCount: inputs.plan.laneCount, seed: inputs.configuration.seed, hasTypes: inputs.datasets[.train]?.types != nil)
    }

    package var workers: Int { max(seenWorkers, group?.members.count ?? (isFirst ? wanted : 0)) }
    package var threads: Int { group?.members.map(\.identity.threads).max() ?? inputs.configuration.threads }

    // MARK: Steps

    package func run(_ plan: StepPlan, next: StepPlan?, learningRate: Double) async throws -> StepReport {
        var redone = false
        while true {
            let group = try await formed()
            do {
                let replies = try await step(plan, next: next, group)
                return try await finish(plan, replies, group, learningRate: learningRate, redone: redone)
            } catch let end as GenerationEnd {
                redone = true
                await dissolve(group, because: end)
            }
        }
    }

    private func step(_ plan: StepPlan, next: StepPlan?, _ group: Group) async throws -> [StepReady] {
        guard let dataset = inputs.datasets[.train] else { preconditionFailure("a step needs training data") }
        if fedStep < plan.step { try await Self.feed(plan, dataset, data) }
        fedStep = max(fedStep, plan.step)
        let command = StepCommand(
            step: plan.step, commit: commitIsPending ? lastCommit : nil, batches: plan.lanes.first?.count ?? 0,
            emptyLanes: plan.lanes.indices.filter { lane in plan.lanes[lane].allSatisfy(\.isEmpty) },
            lossScale: Float(1 / Double(plan.sampleCount)).bitPattern)
        // The next step's samples travel while this one is computed.
        let data = data
        async let ahead: Void = Self.feed(next, dataset, data)
        let replies = try await callAll(group) { proxy, _ in try await proxy.run(command) }
        commitIsPending = false
        try await ahead
        if let next { fedStep = next.step }
        return replies
    }

    private static func feed(_ plan: StepPlan?, _ dataset: TokenizedDataset, _ data: DataThread<CoordinatorData>) async throws {
        guard let plan else { return }
        do {
            _ = try await data.perform { try $0.feed(plan, of: dataset) }
        } catch {
            throw GenerationEnd(reason: "samples could not be sent: \(error)")
        }
    }

    /// Compares what the workers report, decides the update, and counts.
    private func finish(
        _ plan: StepPlan, _ replies: [StepReady], _ group: Group, learningRate: Double, redone: Bool
    ) async throws -> StepReport {
        var losses = [Double](repeating: 0, count: plan.lanes.count)
        var digests = [UInt64?](repeating: nil, count: plan.lanes.count)
        for (rank, reply) in replies.enumerated() {
            let lanes = group.formation.lanes[rank]
            guard reply.step == plan.step, reply.losses.count == lanes[1], reply.digests.count == lanes[1] else {
                throw GenerationEnd(reason: "worker \(rank) reported another step or other lanes", rank: rank)
            }
            for place in 0..<lanes[1] {
                losses[lanes[0] + place] = Double(bitPattern: reply.losses[place])
                digests[lanes[0] + place] = reply.digests[place]
            }
        }
        for lane in plan.lanes.indices where digests[lane] != SampleDigest.of(plan.lanes[lane]) {
            throw GenerationEnd(reason: "lane \(lane) of step \(plan.step) was computed over other samples than planned")
        }
        guard let norm = replies.first.map({ Double(bitPattern: $0.norm) }), replies.allSatisfy({ $0.norm == replies[0].norm }) else {
            throw GenerationEnd(reason: "the workers disagree about the gradient of step \(plan.step)")
        }
        guard norm.isFinite, losses.allSatisfy(\.isFinite) else { throw try await nonFinite(plan, losses, group) }
        let optimizer = inputs.optimizer
        let update = optimizer.update(step: plan.step, learningRate: learningRate, gradientScale: optimizer.clippingFactor(norm: norm))
        lastCommit = Commit(step: plan.step, update)
        commitIsPending = true
        committedStep = plan.step
        ledger.count(plan, redone: redone)
        if plan.endsEpoch { display.say(ledger.endOfEpoch(plan.epoch, planned: inputs.plan.lengths.count)) }
        return StepReport(
            lossSum: losses.reduce(0, +), gradientNorm: norm,
            shares: replies.enumerated().map { WorkerShare(rank: $0, compute: $1.compute, exchange: $1.exchange, wait: $1.wait) })
    }

    private func nonFinite(_ plan: StepPlan, _ losses: [Double], _ group: Group) async throws -> NonFiniteStep {
        var lane = losses.firstIndex { !$0.isFinite }
        if lane == nil {
            lane = try await callAll(group) { proxy, _ in try await proxy.nonFiniteLane() }.compactMap { $0 }.min()
        }
        let found = lane ?? 0
        return NonFiniteStep(
            step: plan.step, lane: found, samples: plan.lanes[found].flatMap { $0.map { Int($0.sample) } }.sorted(), origin: nil)
    }

    // MARK: Evaluation and state

    package func evaluate(_ split: Split) async throws -> EvaluationReport {
        guard let dataset = inputs.datasets[split] else { throw RunError("there is no \(split.rawValue) data to evaluate") }
        let count = Evaluation.chunks(of: dataset.count).count
        let scores = try await withCommitted { group in
            let workers = group.members.count
            let shares = (0..<workers).map { rank in (0..<count).filter { $0 % workers == rank } }
            let data = self.data
            async let feeding: Void = data.perform { try $0.feed(shares, of: dataset) }
            let scores = try await self.callAll(group) { proxy, rank in try await proxy.evaluate(chunks: shares[rank]) }.flatMap { $0 }
            do { try await feeding } catch { throw GenerationEnd(reason: "samples could not be sent: \(error)") }
            return scores
        }
        let ordered = scores.sorted { $0.chunk < $1.chunk }
        guard ordered.map(\.chunk) == Array(0..<count) else { throw RunError("an evaluation missed some of its \(count) chunks: this is a defect") }
        return EvaluationReport(ordered.map(\.score), isClassification: inputs.model.head != .regression)
    }

    package func state() async throws -> TrainingState {
        if let source { return source }
        let model = inputs.model
        return try await withCommitted { group in
            let data = self.data
            async let arriving = data.perform { try $0.receiveState(of: model, from: 0) }
            _ = try await self.callAll([0], of: group) { proxy, _ in try await proxy.sendState() }
            do { return try await arriving } catch { throw GenerationEnd(reason: "the state did not arrive: \(error)") }
        }
    }

    /// Does `body` once every worker has made the newest update; again with others where a generation ends meanwhile.
    private func withCommitted<Result>(_ body: (Group) async throws -> Result) async throws -> Result {
        while true {
            let group = try await formed()
            do {
                if commitIsPending, let commit = lastCommit {
                    _ = try await callAll(group) { proxy, _ in try await proxy.commit(commit) }
                    commitIsPending = false
                }
                return try await body(group)
            } catch let end as GenerationEnd {
                await dissolve(group, because: end)
            } catch let failure as WorkerFailure {
                await dissolve(group, because: GenerationEnd(reason: failure.description))
            }
        }
    }

    // MARK: Calls

    /// Calls all workers at once. The first that fails ends the generation.
    private func callAll<Result: Sendable>(
        _ group: Group, _ call: @escaping @Sendable (Worker<ZeroMQActorSystem>, Int) async throws -> Result
    ) async throws -> [Result] {
        try await callAll(Array(group.proxies.indices), of: group, call)
    }

    private func callAll<Result: Sendable>(
        _ ranks: [Int], of group: Group, _ call: @escaping @Sendable (Worker<ZeroMQActorSystem>, Int) async throws -> Result
    ) async throws -> [Result] {
        do {
            return try await answers(ranks, of: group, call)
        } catch {
            // Whatever waits for a frame on the coordinator's links stops waiting too.
            group.canceller.cancel()
            throw error
        }
    }

    private func answers<Result: Sendable>(
        _ ranks: [Int], of group: Group, _ call: @escaping @Sendable (Worker<ZeroMQActorSystem>, Int) async throws -> Result
    ) async throws -> [Result] {
        try await withThrowingTaskGroup(of: (Int, Result).self) { tasks in
            for rank in ranks {
                let proxy = group.proxies[rank]
                tasks.addTask {
                    do {
                        return (rank, try await ZeroMQActorSystem.within(DataPlane.exchangeTime) { try await call(proxy, rank) })
                    } catch let failure as WorkerFailure {
                        throw GenerationEnd(reason: failure.description)
                    } catch {
                        throw GenerationEnd(reason: "worker \(rank) on \(group.members[rank].identity.hostName): \(error)", rank: rank)
                    }
                }
            }
            var results: [(Int, Result)] = []
            for try await result in tasks { results.append(result) }
            return results.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    // MARK: Generations

    /// The current generation, or a new one where there is none or somebody has joined.
    private func formed() async throws -> Group {
        if let group, !membership.hasNews { return group }
        if let group { await dissolve(group, because: nil) }
        while true {
            try await waitForWorkers()
            if let formed = try await form() {
                group = formed
                return formed
            }
        }
    }

    /// Waits until enough workers are there: at first all that were asked for, later `--min-workers`.
    private func waitForWorkers() async throws {
        var said = false
        while true {
            let count = membership.members.count
            let needed = isFirst ? wanted : max(1, inputs.configuration.minWorkers)
            if count >= needed { return }
            if !isFirst, count == 0, source == nil, committedStep > 0 {
                throw RunError("all workers are lost after step \(committedStep): go on from the newest checkpoint with --resume --output \(inputs.configuration.output)")
            }
            if !said {
                display.say("waiting for workers: \(count) of \(needed) are there")
                said = true
            }
            await membership.change()
            if membership.isClosed { throw RunError("no worker is left: see their messages above") }
            _ = membership.takeMembers()
        }
    }

    /// Forms the next generation; nil where a worker was lost meanwhile.
    private func form() async throws -> Group? {
        generation += 1
        let generation = generation
        system.generation = generation
        let members = membership.takeMembers()
        do {
            let proxies = try members.map { try Proxy.resolve(id: $0.address, using: system) }
            let own = try await data.perform { try $0.prepare(generation: generation) }
            let peers = try await prepare(members, proxies, generation, own: own.peer)
            let roster = MeshRoster(generation: generation, token: UInt64.random(in: 1 ... .max), peers: peers + [own.peer])
            let formations = try formations(members, roster)
            let group = Group(members: members, proxies: proxies, formation: formations[0], canceller: own.canceller)
            try await stand(group, formations)
            announce(group)
            isFirst = false
            seenWorkers = max(seenWorkers, members.count)
            fedStep = committedStep
            commitIsPending = false
            source = nil
            return group
        } catch let end as GenerationEnd {
            await dropLost(members, because: end)
            return nil
        }
    }

    private func prepare(
        _ members: [Membership.Member], _ proxies: [Proxy], _ generation: UInt32, own: MeshPeer
    ) async throws -> [MeshPeer] {
        let keys = (members.map(\.identity.key) + [own.key]).compactMap { $0 }
        return try await withThrowingTaskGroup(of: (Int, MeshPeer).self) { tasks in
            for (rank, proxy) in proxies.enumerated() {
                tasks.addTask {
                    do { return (rank, try await proxy.prepare(generation: generation, keys: keys)) } catch {
                        throw GenerationEnd(reason: "worker \(rank) on \(members[rank].identity.hostName): \(error)", rank: rank)
                    }
                }
            }
            var peers: [(Int, MeshPeer)] = []
            for try await peer in tasks { peers.append(peer) }
            return peers.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// Each worker's place: lanes, hosts, and where its state comes from.
    private func formations(_ members: [Membership.Member], _ roster: MeshRoster) throws -> [Formation] {
        let count = members.count
        let lanes = LaneShares.of(laneCount: inputs.plan.laneCount, workers: count)
        let names = members.map(\.identity.host)
        let hosts = names.map { name in names.firstIndex(of: name) ?? 0 }
        let commits: [Commit?] = members.map { member in
            guard let commit = lastCommit, member.held.committedStep == commit.step - 1, member.held.keptStep == commit.step else { return nil }
            return commit
        }
        let upToDate = members.indices.filter { members[$0].held.committedStep == committedStep || commits[$0] != nil }
        let behind = members.indices.filter { !upToDate.contains($0) }
        let donors = source == nil ? upToDate : []
        guard behind.isEmpty || source != nil || !donors.isEmpty else {
            throw RunError("no worker has the state after step \(committedStep): go on from the newest checkpoint with --resume --output \(inputs.configuration.output)")
        }
        // Where the coordinator still has the state, everybody takes it from there.
        let receivers = source == nil ? behind : Array(members.indices)
        var from = [Int?](repeating: nil, count: count)
        for (place, rank) in receivers.enumerated() { from[rank] = donors.isEmpty ? count : donors[place % donors.count] }
        return members.indices.map { rank in
            Formation(
                run: run, roster: roster, rank: rank, lanes: lanes, hosts: hosts, stateFrom: from[rank],
                stateTo: receivers.filter { from[$0] == rank }, step: committedStep, commit: commits[rank])
        }
    }

    /// Lets all links stand and the state arrive.
    private func stand(_ group: Group, _ formations: [Formation]) async throws {
        var own = formations[0]
        own.rank = group.members.count
        own.stateTo = formations.indices.filter { formations[$0].stateFrom == group.members.count }
        let (place, source, data) = (own, source, data)
        async let links: Void = data.perform { try $0.form(place, sending: source) }
        let held = try await callAll(group) { proxy, rank in try await proxy.form(formations[rank]) }
        do { try await links } catch { throw GenerationEnd(reason: "the coordinator's links do not stand: \(error)") }
        for (rank, state) in held.enumerated() { membership.update(group.members[rank].address, state) }
    }

    private func announce(_ group: Group) {
        let members = group.members
        let hosts = Set(members.map(\.identity.host)).count
        let idle = group.formation.lanes.count { $0[1] == 0 }
        if isFirst || generation > 1 {
            display.say(
                "generation \(generation): \(members.count) \(members.count == 1 ? "worker" : "workers") on \(hosts) \(hosts == 1 ? "host" : "hosts")"
                    + (committedStep > 0 ? ", after step \(committedStep)" : ""))
        }
        if idle > 0 {
            display.say("\(idle) of \(members.count) workers stand by: there are \(inputs.plan.laneCount) lanes; --lanes \(members.count) would use them, with other bits")
        }
    }

    /// Ends a generation: survivors stop waiting and keep their state; those that do not answer are lost.
    private func dissolve(_ group: Group, because end: GenerationEnd?) async {
        self.group = nil
        group.canceller.cancel()
        await data.performQuietly { $0.leaveGroup() }
        if let end { await dropLost(group.members, because: end) } else { await refresh(group.members) }
    }

    /// Asks every member how far it is and removes those that do not answer.
    private func dropLost(_ members: [Membership.Member], because end: GenerationEnd) async {
        let lost = await refresh(members)
        let names = lost.filter { $0 != end.rank }.map { "worker \($0) on \(members[$0].identity.hostName)" }
        display.say(
            "generation \(generation) ended after step \(committedStep): \(end.reason)"
                + (names.isEmpty ? "" : "; lost: \(names.joined(separator: ", "))") + "; going on with \(membership.members.count)")
    }

    @discardableResult
    private func refresh(_ members: [Membership.Member]) async -> [Int] {
        let system = system
        let answers = await withTaskGroup(of: (Int, HeldState?).self) { tasks in
            for (rank, member) in members.enumerated() {
                tasks.addTask {
                    guard let proxy = try? Proxy.resolve(id: member.address, using: system) else { return (rank, nil) }
                    return (rank, try? await ZeroMQActorSystem.within(.seconds(30)) { try await proxy.abort() })
                }
            }
            var answers: [(Int, HeldState?)] = []
            for await answer in tasks { answers.append(answer) }
            return answers
        }
        var lost: [Int] = []
        for (rank, held) in answers {
            if let held { membership.update(members[rank].address, held) } else {
                membership.remove(members[rank].address)
                lost.append(rank)
            }
        }
        return lost.sorted()
    }

    /// Sends all workers home.
    package func close(_ reason: String) async {
        let system = system
        let members = membership.members
        await withTaskGroup(of: Void.self) { tasks in
            for member in members {
                tasks.addTask {
                    guard let proxy = try? Proxy.resolve(id: member.address, using: system) else { return }
                    try? await ZeroMQActorSystem.within(.seconds(5)) { try await proxy.leave(reason) }
                }
            }
        }
        await data.performQuietly { $0.leaveGroup() }
        data.end()
    }
}

/// The coordinator's data thread.
package struct CoordinatorDataThread: Sendable {
    let thread: DataThread<CoordinatorData>

    init(context: Context, place: MeshPlace) {
        thread = DataThread(name: "apus data") { CoordinatorData(context: context, place: place) }
    }
}

extension DataThread {
    /// Does work that cannot fail.
    func performQuietly(_ work: @escaping @Sendable (Core) -> Void) async { _ = try? await perform { work($0) } }
}

/// A generation that cannot go on.
struct GenerationEnd: Error {
    let reason: String
    var rank: Int?
}
