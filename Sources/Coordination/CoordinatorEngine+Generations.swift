internal import BERT
internal import Cluster
internal import Configuration
internal import Console
internal import Distributed
internal import Learning
internal import Logging
internal import Reduction
internal import Runs
internal import Telemetry
internal import Tracing
internal import Tensors
internal import Transport
internal import Wording

extension CoordinatorEngine {
    /// The current generation, or a new one if there is none or a worker has joined.
    ///
    /// - Parameter freeze: the parameters that it does not train; called again once forming has found the step of the
    ///   state.
    func formed(freezing freeze: () -> [String]) async throws -> Group {
        if let group, !membership.hasNews, group.formation.run.freeze == freeze() { return group }
        if let group { await dissolve(group, because: nil) }
        while true {
            guard !fruitlessEnds.isTooMany(at: surroundings.now) else {
                throw RunError(
                    "\(fruitlessEnds.count) generations in a row ended before step \(position.committed + 1) was done, "
                        + "though no worker was lost: see the reasons above, then resume with: \(resumeCommand)")
            }
            if fruitlessEnds.pause > .zero { try await surroundings.sleep(for: fruitlessEnds.pause) }
            try await waitForWorkers()
            if let formed = try await form(freezing: freeze) {
                group = formed
                return formed
            }
        }
    }

    /// Waits for enough workers: at first all requested ones that may still join, later `--min-workers`.
    ///
    /// After a coordinator's restart it stops waiting for workers that do not return in time.
    /// - Throws: ``SignalStop`` if a signal requests a stop, ``RunError`` if too few can join.
    private func waitForWorkers() async throws {
        var said: Int?
        var reminding: Task<Void, Never>?
        defer { reminding?.cancel() }
        if isFirst, let patience, patience > surroundings.now {
            surroundings.after(patience - surroundings.now) { [membership] in membership.wake() }
        }
        while true {
            let count = membership.members.count
            let possible = max(0, wanted - membership.givenUp)
            let minimum = max(1, inputs.configuration.minWorkers)
            let waitsForAll = isFirst && patience.map { $0 > surroundings.now } ?? true
            let needed = waitsForAll ? max(minimum, possible) : minimum
            if count >= needed { return }
            if isFirst { try membership.checkRendezvous() }
            if let signal = stop.signal {
                throw SignalStop(
                    signal: signal, after: position.reached, " while waiting for workers", resumeCommand: resumeCommand)
            }
            guard possible >= minimum || possible == wanted else {
                throw RunError(
                    "\(possible) of \(wanted) workers left, at least \(minimum) required: see above why the others "
                        + "ended, then resume with: "
                        + resumeCommand)
            }
            if said != needed {
                let hint = (reminder?.hint).map { said == nil ? "; start one with: \($0)" : "" } ?? ""
                display.say("waiting for workers: \(count) of \(needed) connected\(hint)")
                said = needed
                reminding?.cancel()
                reminding = reminder?.begin(needed: needed, isThere: { [membership] in membership.members.count }) {
                    [display] in display.say($0)
                }
            }
            await membership.change()
        }
    }

    /// Forms the next generation; nil if a worker was lost meanwhile.
    private func form(freezing freeze: () -> [String]) async throws -> Group? {
        generation += 1
        let generation = generation
        journal.add(.generation(generation))
        system.generation = generation
        let members = membership.takeMembers()
        trace("generation begins", ["workers": "\(members.count)"])
        do {
            let proxies = try members.map { try Proxy.resolve(id: $0.address, using: system) }
            let own = try await data.perform { try $0.prepare(generation: generation) }
            let prepared = try await prepare(members, proxies, generation, own: own.peer)
            let peers = prepared.map(\.peer) + [own.peer]
            let roster = MeshRoster(generation: generation, token: surroundings.random(in: 1 ... .max), peers: peers)
            // Their state once nothing could change it any more.
            let start = try start(prepared.map(\.held))
            run.freeze = freeze()
            let formations = formations(members, roster, start)
            let group = Group(
                members: members, proxies: proxies, formation: formations[0], canceller: own.canceller,
                hasFeatures: try stageModel.hasFixedFeatures)
            pace.lanes = group.formation.lanes.map(\.count).max() ?? 1
            membership.endLinks(own.canceller, ofGeneration: generation, whenLost: members)
            try await establish(group, formations)
            trace("generation formed")
            linked = Set(members.map(\.address))
            linkPatience.linked(members.map(\.identity))
            announce(group)
            isFirst = false
            seenWorkers = max(seenWorkers, members.count)
            let threads = members.map(\.identity.threads)
            if let fewest = threads.min(), let most = threads.max() { seenThreads = fewest...most }
            position.form(knowing: start.commit)
            ownState = nil
            return group
        } catch let end as GenerationEnd {
            await judge(end, members)
            await dropLost(members, because: end)
            return nil
        }
    }

    private func prepare(
        _ members: [Membership.Member], _ proxies: [Proxy], _ generation: UInt32, own: MeshPeer
    ) async throws -> [PreparedWorker] {
        let keys = (members.map(\.identity.key) + [own.key]).compactMap { $0 }
        return try await withThrowingTaskGroup(of: (Int, PreparedWorker).self) { tasks in
            for (rank, proxy) in proxies.enumerated() {
                tasks.addTask {
                    do { return (rank, try await proxy.prepare(generation: generation, keys: keys)) } catch {
                        throw GenerationEnd.lost(
                            rank: rank, reason: "worker \(rank) on \(members[rank].identity.hostName): \(error)")
                    }
                }
            }
            var prepared: [(Int, PreparedWorker)] = []
            for try await worker in tasks { prepared.append(worker) }
            return prepared.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// The step after which the generation begins: the newest that any worker has or can reach, else that of a
    /// checkpoint.
    private func start(_ held: [HeldState]) throws -> GenerationStart {
        let floor = ownState?.step ?? floor
        // Once it has begun, a coordinator knows of every step; a worker that returns with a later one has it from an
        // earlier coordinator.
        let last = isFirst ? newestUsable : position.reached
        guard let found = GenerationStart(held, run: run.id, known: position.knownCommits, floor: floor, last: last)
        else {
            if let ownState, ownState.step == position.committed {
                return GenerationStart(step: ownState.step, workers: held.count)
            }
            try goBack()
            return GenerationStart(step: position.committed, workers: held.count)
        }
        ownState = nil
        if found.step != position.committed {
            display.say(
                "continuing after step \(found.step), the newest that a worker "
                    + "has\(found.step < position.reached ? "; later ones are recomputed" : "")"
            )
            note(position.move(to: found.step))
        }
        return found
    }

    /// Each worker's assignment: lanes, host, and donor of its state.
    private func formations(_ members: [Membership.Member], _ roster: MeshRoster, _ start: GenerationStart)
        -> [Formation]
    {
        let lanes = LaneAssignment(laneCount: inputs.plan.laneCount, workers: members.count).lanes
        let names = members.map(\.identity.host)
        let hosts = names.map { name in names.firstIndex(of: name) ?? 0 }
        let from = start.donors
        let limit = linkPatience.limit(for: members.map(\.identity))
        return members.indices.map { rank in
            let commit: Commit? = if case .applies(let commit) = start.ways[rank] { commit } else { nil }
            return Formation(
                run: run, roster: roster, rank: rank, lanes: lanes, hosts: hosts, stateFrom: from[rank],
                stateTo: from.indices.filter { from[$0] == rank }, step: start.step, commit: commit,
                newest: start.commit, linkSeconds: Int(limit.seconds))
        }
    }

    /// Establishes all links and transfers the state.
    private func establish(_ group: Group, _ formations: [Formation]) async throws {
        var own = formations[0]
        own.rank = group.members.count
        own.stateTo = formations.indices.filter { formations[$0].stateFrom == group.members.count }
        let before = try inputs.model(ofStep: position.committed)
        let now = try stageModel
        let state = ownState.map { $0.state.converted(from: before, to: now) }
        let place = own
        let links = data.begin { try $0.form(place, sending: state) }
        // Longer than the workers wait for their links: a worker that misses another one reports it.
        let longest =
            DataPlane.formingTime + DataPlane.transferTime(parameters: before.layout.count, workers: formations.count)
        let limit =
            max(pace.limit(stateOf: before.layout.count * formations.count), longest)
            + DataPlane.reportTime(after: DataPlane.formingTime)
        let held = try await callAll(
            group, within: limit,
            meanwhile: { try await links.orEnd("the coordinator's links were not established", formingAs: place.rank) }
        ) {
            proxy, rank in
            try await proxy.form(formations[rank])
        }
        try begin(group, with: held)
    }

    /// Begins the generation once all workers have the same state, after its initial step.
    private func begin(_ group: Group, with held: [HeldState]) throws {
        let step = group.formation.step
        for (rank, held) in held.enumerated() where !held.has(run.id, step: step) || held.hash == nil {
            throw GenerationEnd.failed(
                reason:
                    "worker \(rank) on \(group.members[rank].identity.hostName) does not have the state after step "
                    + "\(step)"
            )
        }
        let hashes = held.compactMap(\.hash)
        try agree(hashes, group, "after step \(step)")
        journal.add(.formed(generation: group.formation.roster.generation, after: step, state: hashes[0]))
    }

    /// The model with the parameters that the newest generation trains.
    private var stageModel: BERTModel {
        get throws { inputs.model.freezing(try FrozenParameters(run.freeze, lora: run.lora).contains) }
    }

    private func trace(_ what: Logger.Message, _ more: @autoclosure () -> Logger.Metadata = [:]) {
        Trace.run?.info(
            what,
            metadata: ["generation": "\(generation)", "step": "\(position.committed)"].merging(more()) { $1 })
    }

    private func announce(_ group: Group) {
        let members = group.members
        let workers = zip(members, group.formation.lanes).enumerated().map { rank, worker in
            GenerationEvent.Worker(
                rank: rank, host: worker.0.identity.hostName, process: Int(worker.0.identity.processID),
                threads: worker.0.identity.threads, firstLane: worker.1.lowerBound, lanes: worker.1.count)
        }
        record(GenerationEvent(afterStep: position.committed, generation: Int(generation), workers: workers))
        let hosts = Set(members.map(\.identity.host)).count
        let idle = group.formation.lanes.count(where: \.isEmpty)
        display.say(
            "generation \(generation): \(members.count) \(members.count == 1 ? "worker" : "workers") on \(hosts) "
                + "\(hosts == 1 ? "host" : "hosts")"
                + (position.committed > 0 ? ", after step \(position.committed)" : ""))
        if idle > 0 {
            display.say(
                "on standby: \(idle) of \(counted(members.count, "worker")): the run has "
                    + "\(counted(inputs.plan.laneCount, "lane")); "
                    + "--lanes \(members.count) would use them, with different bits"
            )
        }
    }

    /// Ends a generation: survivors stop waiting and keep their state; those that do not answer are lost.
    func dissolve(_ group: Group, because end: GenerationEnd?) async {
        self.group = nil
        group.canceller.cancel()
        await data.performQuietly { $0.leaveGroup() }
        guard let end else {
            let lost = await abort(group.members)
            if let first = lost.first {
                let host = group.members[first].identity.hostName
                let reason = "worker \(first) on \(host) was lost between two steps"
                tell(.lost(rank: first, reason: reason), lost, group.members)
            }
            return
        }
        await judge(end, group.members)
        await dropLost(group.members, because: end)
    }

    /// Tells every member that the generation has ended, and removes those that do not answer.
    private func dropLost(_ members: [Membership.Member], because end: GenerationEnd) async {
        let unlinked = await sendAway(unlinkedOf: members, end)
        let lost = await abort(members, but: Set(end.untrueRanks.keys).union(unlinked))
        if lost.isEmpty, end.untrueRanks.isEmpty, unlinked.isEmpty { fruitlessEnds.add(at: surroundings.now) }
        tell(end, (lost + unlinked).sorted(), members)
    }

    /// Records why the generation ended, and which of its members are lost.
    private func tell(_ end: GenerationEnd, _ lost: [Int], _ members: [Membership.Member]) {
        trace("generation ended", ["reason": "\(end.reason)", "removed": "\(lost)"])
        record(
            GenerationEndEvent(
                afterStep: position.committed, generation: Int(generation), reason: end.reason, lost: lost))
        let names = lost.filter { $0 != end.namedRank }.map {
            "worker \($0) on \(members[$0].identity.hostName)"
        }
        display.say(
            "generation \(generation) ended after step \(position.committed): \(end.reason)"
                + (names.isEmpty ? "" : "; lost: \(names.joined(separator: ", "))")
                + "; continuing with \(membership.members.count)")
    }

    /// Removes workers without links to living ones: the run continues without them.
    ///
    /// - Returns: their ranks; none if no worker would be left, since then the fault is more likely the coordinator's.
    private func sendAway(unlinkedOf members: [Membership.Member], _ end: GenerationEnd) async -> [Int] {
        let newcomers = members.indices.filter { !linked.contains(members[$0].address) }
        let away = end.deadLinks.ranksToSendAway(workers: members.count, newcomers: Set(newcomers))
        guard away.count < members.count else { return [] }
        for rank in away {
            membership.remove(members[rank])
            linkPatience.removed(members[rank].identity)
            // The run begins without it; a replacement takes part when it joins.
            if isFirst { membership.giveUp(1) }
            let host = members[rank].identity.hostName
            let missing = end.deadLinks.missing(by: rank).map {
                $0 == members.count ? "the coordinator" : "worker \($0)"
            }
            let links = "no data links between worker \(rank) on \(host) and \(missing.joined(separator: ", "))"
            display.say("\(links): the worker is removed; check --interface and firewalls")
            guard let proxy = try? Proxy.resolve(id: members[rank].address, using: system) else { continue }
            let reason = "\(links): check --interface and firewalls; the run continues without this worker"
            try? await System.within(.seconds(5)) { try await proxy.leave(reason) }
        }
        return away
    }

    /// What a worker makes of the end of its generation.
    private enum Departure {
        /// It waits for the next generation.
        case left
        /// Its process or connection is lost.
        case lost
        /// Its process lives while its data thread is stalled: a replacement can do its part.
        case dismissed
    }

    /// - Returns: the ranks of the members that were removed.
    private func abort(_ members: [Membership.Member], but left: Set<Int> = []) async -> [Int] {
        let (system, limit) = (system, pace.limit)
        let removed = await withTaskGroup(of: (Int, Departure).self) { tasks in
            for (rank, member) in members.enumerated() where !left.contains(rank) {
                tasks.addTask {
                    guard let proxy = try? Proxy.resolve(id: member.address, using: system) else {
                        return (rank, .lost)
                    }
                    return (rank, await Self.departure(of: proxy, within: limit))
                }
            }
            var removed: [(rank: Int, departure: Departure)] = []
            for await answer in tasks where answer.1 != .left { removed.append(answer) }
            return removed
        }
        for (rank, departure) in removed {
            if departure == .lost { membership.removeLost(members[rank]) } else { membership.remove(members[rank]) }
        }
        return removed.map(\.rank).sorted()
    }

    private static func departure(of worker: Proxy, within limit: Duration) async -> Departure {
        do {
            try await System.within(limit) { try await worker.abort() }
            return .left
        } catch ClusterError.deadline {
            let reason =
                "its data thread did not move for \(Int(limit.seconds)) s: the run continues without this worker"
            try? await System.within(.seconds(1)) { try await worker.leave(reason) }
            return .dismissed
        } catch { return .lost }
    }

    /// Dismisses all workers.
    package func close(_ reason: String) async {
        let system = system
        let members = membership.members
        await withTaskGroup(of: Void.self) { tasks in
            for member in members {
                tasks.addTask {
                    guard let proxy = try? Proxy.resolve(id: member.address, using: system) else { return }
                    try? await System.within(.seconds(5)) { try await proxy.leave(reason) }
                }
            }
        }
        await data.performQuietly { $0.leaveGroup() }
        data.end()
    }
}
