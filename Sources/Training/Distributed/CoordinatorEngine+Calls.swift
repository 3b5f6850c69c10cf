internal import Cluster
internal import Distributed
internal import Transport

extension CoordinatorEngine {
    /// Calls all workers at once. The first that fails ends the generation.
    func callAll<Result: Sendable>(
        _ group: Group, within limit: Duration = DataPlane.exchangeTime,
        _ call: @escaping @Sendable (Worker<ZeroMQActorSystem>, Int) async throws -> Result
    ) async throws -> [Result] {
        try await callAll(Array(group.proxies.indices), of: group, within: limit, call)
    }

    func callAll<Result: Sendable>(
        _ ranks: [Int], of group: Group, within limit: Duration = DataPlane.exchangeTime,
        _ call: @escaping @Sendable (Worker<ZeroMQActorSystem>, Int) async throws -> Result
    ) async throws -> [Result] {
        do {
            return try await system.withCalls { try await answers(ranks, of: group, within: limit, call) }
        } catch {
            // Whatever waits for a frame on the coordinator's links stops waiting too.
            group.canceller.cancel()
            throw error
        }
    }

    private func answers<Result: Sendable>(
        _ ranks: [Int], of group: Group, within limit: Duration, _ call: @escaping @Sendable (Worker<ZeroMQActorSystem>, Int) async throws -> Result
    ) async throws -> [Result] {
        try await withThrowingTaskGroup(of: (Int, Result).self) { tasks in
            for rank in ranks {
                let proxy = group.proxies[rank]
                tasks.addTask {
                    do {
                        return (rank, try await ZeroMQActorSystem.within(limit) { try await call(proxy, rank) })
                    } catch WorkerFailure.memoryChanged(let reason) {
                        throw GenerationEnd(
                            reason: "worker \(rank) on \(group.members[rank].identity.hostName) is sent away: \(reason)", rank: rank,
                            untrue: [rank: reason])
                    } catch let failure as WorkerFailure {
                        throw GenerationEnd(reason: failure.description)
                    } catch ClusterError.deadline(let name, _) {
                        // Whoever waits for the one that stands still is as late as that one.
                        throw GenerationEnd(reason: "\(name) was not done within \(Int(limit.seconds)) s")
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
}
