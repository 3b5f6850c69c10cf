package import Cluster
internal import Distributed
internal import Synchronization
internal import Transport

extension Membership {
    /// Has the loss of any of these members end the coordinator's links, so that nobody waits there for what will not come: a
    /// worker may be lost after it has answered and before what it sent has arrived.
    func endLinks(_ canceller: MeshCanceller, ofGeneration generation: UInt32, whenLost members: [Member]) {
        let processes = Set(members.map(\.address.process))
        let isLost = state.withLock { state in
            state.links = (generation, processes, canceller)
            return !state.silent.isDisjoint(with: processes)
        }
        if isLost { canceller.cancel() }
    }

    /// Notes that a process is lost or silent.
    ///
    /// - Parameter generation: the newest one when it was lost. A later one that it belongs to does not end for that: the
    ///   process has come back before this was told.
    func fellSilent(_ process: String, inGeneration generation: UInt32) {
        let canceller: MeshCanceller? = state.withLock { state in
            guard let links = state.links, links.processes.contains(process) else {
                state.silent.insert(process)
                return nil
            }
            guard links.generation <= generation else { return nil }
            state.silent.insert(process)
            return links.canceller
        }
        canceller?.cancel()
    }

    /// Takes workers back that were lost and are heard again, such as after a suspension: as if they joined again.
    package func readmitReturning(through system: ZeroMQActorSystem) async {
        await withDiscardingTaskGroup { tasks in
            for await event in system.events {
                switch event {
                case .lost(let process, let generation): fellSilent(process, inGeneration: generation)
                case .found(let process):
                    guard state.withLock({ $0.silent.remove(process) }) != nil, let member = known(process) else { continue }
                    // Nobody else's loss waits for this one's answer.
                    tasks.addTask { await self.readmit(member, through: system) }
                case .coordinatorChanged, .refused: continue
                }
            }
        }
    }

    /// Asks again and again: its answer comes behind what its data thread is still computing.
    private func readmit(_ member: Member, through system: ZeroMQActorSystem) async {
        guard let proxy = try? Worker.resolve(id: member.address, using: system) else { return }
        repeat {
            do {
                let held = try await ZeroMQActorSystem.within(.seconds(30)) { try await proxy.abort() }
                return try join(member.identity, member.address, held)
            } catch ClusterError.deadline where system.isConnected(to: member.address.process) {} catch { return }
        } while isNewest(member)
    }
}
