package import Cluster
internal import Distributed

extension Membership {
    /// Takes workers back that were lost and are heard again, such as after a suspension: as if they joined anew.
    package func readmitReturning(through system: ZeroMQActorSystem) async {
        var silent: Set<String> = []
        for await event in system.events {
            switch event {
            case .lost(let process):
                silent.insert(process)
                fellSilent(process)
            case .found(let process):
                guard silent.remove(process) != nil, let member = known(process),
                    let proxy = try? Worker.resolve(id: member.address, using: system),
                    let held = try? await ZeroMQActorSystem.within(.seconds(30), { try await proxy.abort() })
                else { continue }
                try? join(member.identity, member.address, held)
            case .coordinatorChanged, .refused: continue
            }
        }
    }
}
