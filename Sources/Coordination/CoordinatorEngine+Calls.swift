internal import Cluster
internal import Distributed
internal import Transport
internal import Wording

extension CoordinatorEngine {
    /// Calls workers at once. The first failure ends the generation, and so does a failure of `meanwhile`.
    ///
    /// - Parameter ranks: nil for all.
    /// - Throws: ``GenerationEnd``, errors of `meanwhile`.
    func callAll<Result: Sendable>(
        _ group: Group, only ranks: [Int]? = nil, within limit: Duration = DataPlane.exchangeTime,
        meanwhile: (@Sendable () async throws -> Void)? = nil,
        _ call: @escaping @Sendable (Worker<System>, Int) async throws -> Result
    ) async throws -> [Result] {
        let begin = surroundings.now
        return try await system.withCalls {
            try await withThrowingTaskGroup(of: (Int, Result)?.self) { tasks in
                if let meanwhile {
                    tasks.addTask {
                        try await meanwhile()
                        return nil
                    }
                }
                for rank in ranks ?? Array(group.proxies.indices) {
                    let (proxy, host) = (group.proxies[rank], group.members[rank].identity.hostName)
                    tasks.addTask {
                        do { return (rank, try await System.within(limit) { try await call(proxy, rank) }) } catch {
                            throw GenerationEnd(error, ofWorker: rank, onHost: host, within: limit)
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
    /// The result; a failure ends the generation, except one that ends the run.
    /// - Parameter rank: the coordinator's, if the work establishes its links.
    func orEnd(_ what: String, formingAs rank: Int? = nil) async throws -> Value {
        do { return try await value } catch let error as RunError { throw error } catch {
            throw GenerationEnd(error, what, formingAs: rank)
        }
    }
}
