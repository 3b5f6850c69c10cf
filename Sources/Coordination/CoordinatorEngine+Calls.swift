internal import Cluster
internal import Collectives
internal import Distributed
internal import Transport
internal import Wording

extension CoordinatorEngine {
    /// Calls all workers at once. The first failure ends the generation, and so does a failure of `meanwhile`.
    func callAll<Result: Sendable>(
        _ group: Group, within limit: Duration = DataPlane.exchangeTime,
        meanwhile: (@Sendable () async throws -> Void)? = nil,
        _ call: @escaping @Sendable (Worker<System>, Int) async throws -> Result
    ) async throws -> [Result] {
        try await callAll(Array(group.proxies.indices), of: group, within: limit, meanwhile: meanwhile, call)
    }

    func callAll<Result: Sendable>(
        _ ranks: [Int], of group: Group, within limit: Duration = DataPlane.exchangeTime,
        meanwhile: (@Sendable () async throws -> Void)? = nil,
        _ call: @escaping @Sendable (Worker<System>, Int) async throws -> Result
    ) async throws -> [Result] {
        try await system.withCalls { try await answers(ranks, of: group, within: limit, meanwhile: meanwhile, call) }
    }

    private func answers<Result: Sendable>(
        _ ranks: [Int], of group: Group, within limit: Duration, meanwhile: (@Sendable () async throws -> Void)?,
        _ call: @escaping @Sendable (Worker<System>, Int) async throws -> Result
    ) async throws -> [Result] {
        let begin = surroundings.now
        func name(_ rank: Int) -> String { "worker \(rank) on \(group.members[rank].identity.hostName)" }
        return try await withThrowingTaskGroup(of: (Int, Result)?.self) { tasks in
            if let meanwhile {
                tasks.addTask {
                    try await meanwhile()
                    return nil
                }
            }
            for rank in ranks {
                let proxy = group.proxies[rank]
                tasks.addTask {
                    do {
                        return (rank, try await System.within(limit) { try await call(proxy, rank) })
                    } catch WorkerFailure.memoryChanged(let reason) {
                        throw GenerationEnd.untrue(
                            [rank: reason], reason: "\(name(rank)) is removed: \(reason)")
                    } catch WorkerFailure.unlinked(let ranks, let reason) {
                        throw GenerationEnd.unlinked(
                            UnlinkedRanks(ranks, missedBy: rank), reason: "\(name(rank)): \(reason)")
                    } catch let failure as WorkerFailure {
                        throw GenerationEnd.failed(reason: failure.description)
                    } catch ClusterError.deadline(let process, _) {
                        // A rank that waits for a stalled rank is as late as that one.
                        throw GenerationEnd.failed(reason: "\(process) was not done within \(Int(limit.seconds)) s")
                    } catch {
                        throw GenerationEnd.lost(rank: rank, reason: "\(name(rank)): \(error)")
                    }
                }
            }
            var results: [(Int, Result)] = []
            do {
                for try await result in tasks { if let result { results.append(result) } }
            } catch GenerationEnd.unlinked(let links, let reason) where !links.dead.isEmpty {
                // Only all reports together show the cause.
                let limit = DataPlane.reportTime(after: surroundings.now - begin)
                let all = await unlinked(links, reason, rest: &tasks, within: limit)
                group.canceller.cancel()
                throw all
            } catch {
                // Operations that wait for frames or space on the coordinator's links stop waiting, too.
                group.canceller.cancel()
                throw error
            }
            return results.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// The first report of missing links together with those that come soon after it.
    private func unlinked<Result: Sendable>(
        _ links: UnlinkedRanks, _ reason: String, rest tasks: inout ThrowingTaskGroup<(Int, Result)?, any Error>,
        within limit: Duration
    ) async -> GenerationEnd {
        var links = links
        tasks.addTask { [surroundings] in
            try await surroundings.sleep(for: limit)
            throw CancellationError()
        }
        while true {
            do {
                guard try await tasks.next() != nil else { return .unlinked(links, reason: reason) }
            } catch let further as GenerationEnd {
                links.add(further.deadLinks)
            } catch {
                return .unlinked(links, reason: reason)
            }
        }
    }
}

extension Begun {
    /// The result; a failure ends the generation.
    /// - Parameter rank: whose links it needs.
    func orEnd(_ what: String, rank: Int? = nil) async throws -> Value {
        do { return try await value } catch let error as RunError { throw error } catch let error as MeshError {
            let reason = "\(what): \(ExchangeError.mesh(error))"
            guard let rank, let ranks = error.unlinked else { throw GenerationEnd.failed(reason: reason) }
            throw GenerationEnd.unlinked(UnlinkedRanks(ranks, missedBy: rank), reason: reason)
        } catch { throw GenerationEnd.failed(reason: "\(what): \(error)") }
    }
}
