package import Cluster
internal import Distributed
internal import Synchronization
internal import Transport

extension Membership {
    /// Makes the loss of any of these members end the coordinator's links, so that no thread waits there in vain: a
    /// worker may be lost after it has answered and before its frames have arrived.
    func endLinks(_ canceller: MeshCanceller, ofGeneration generation: UInt32, whenLost members: [Member]) {
        let processes = Set(members.map(\.address.process))
        let isLost = state.withLock { state in
            state.links = (generation, processes, canceller)
            return !state.silent.isDisjoint(with: processes)
        }
        if isLost { canceller.cancel() }
    }

    /// Records that a process is lost or silent.
    ///
    /// - Parameter generation: the newest one when it was lost. A later generation that it belongs to does not end for
    ///   this: the process returned before this was reported.
    func fellSilent(_ process: String, inGeneration generation: UInt32) {
        let canceller: MeshCanceller? = state.withLock { state in
            defer { state.forgetLost() }
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

    /// Readmits lost workers that are heard again, such as after a suspension: as if they joined again.
    package func readmitReturning<System: ControlPlane>(through system: System) async {
        async let afterRemoval: Void = readmitRemoved(through: system)
        await withDiscardingTaskGroup { tasks in
            for await event in system.events {
                switch event {
                case .lost(let process, let generation): fellSilent(process, inGeneration: generation)
                case .found(let process):
                    guard isAway(process), let member = known(process) else { continue }
                    // Handling other losses does not wait for this answer.
                    tasks.addTask { await self.readmit(member, through: system) }
                case .coordinatorChanged, .refused: continue
                }
            }
        }
        removalsEnd.finish()
        await afterRemoval
    }

    /// Readmits lost workers that were heard again after a call to them had failed and before they were removed. They
    /// were members when they were found, so that nothing was to be done then.
    private func readmitRemoved<System: ControlPlane>(through system: System) async {
        await withDiscardingTaskGroup { tasks in
            for await member in removals where system.isConnected(to: member.address.process) && isNewest(member) {
                tasks.addTask { await self.readmit(member, through: system) }
            }
        }
    }

    /// Whether a process that is heard again has to be readmitted. A request to join that was executed late, after its
    /// process had fallen silent, may have made it a member again, who was then removed.
    private func isAway(_ process: String) -> Bool {
        state.withLock { state in
            state.silent.remove(process) != nil || !state.members.contains { $0.address.process == process }
        }
    }

    /// Asks repeatedly: its answer comes after the work in progress on its data thread.
    private func readmit<System: ControlPlane>(_ member: Member, through system: System) async {
        guard let proxy = try? Worker.resolve(id: member.address, using: system) else { return }
        repeat {
            do {
                try await System.within(.seconds(30)) { try await proxy.abort() }
                // It may have joined by itself, or have been found and removed at once.
                guard isNewest(member) else { return }
                return try join(member.identity, member.address)
            } catch ClusterError.deadline where system.isConnected(to: member.address.process) {} catch { return }
        } while isNewest(member)
    }
}
