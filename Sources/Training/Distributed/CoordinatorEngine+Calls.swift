internal import Cluster
internal import Distributed
internal import Transport

extension CoordinatorEngine {
    /// Calls all workers at once. The first that fails ends the generation.
    func callAll<Result: Sendable>(
        _ group: Group, _ call: @escaping @Sendable (Worker<ZeroMQActorSystem>, Int) async throws -> Result
    ) async throws -> [Result] {
        try await callAll(Array(group.proxies.indices), of: group, call)
    }

    func callAll<Result: Sendable>(
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

    func answers<Result: Sendable>(
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
}
