internal import Cluster
internal import Dispatch
internal import Synchronization
internal import Wording

/// Rules for workers placed by an engine: each has its own rank, and joins at once or never.
extension Membership {
    /// - Throws: ``JoinRefused`` if the worker's number of ranks differs from the coordinator's, or another worker has
    ///   its rank.
    func checkPlace(_ identity: WorkerIdentity, _ address: ActorAddress) throws(JoinRefused) {
        guard let placed, let rank = identity.number else { return }
        if let size = identity.worldSize, size != placed {
            throw JoinRefused(
                "rank \(rank) on host \(identity.hostName) counts \(counted(size, "rank")), the coordinator "
                    + "\(placed): start both with one command; if these are "
                    + "two jobs on one port, set APUS_PORT or MASTER_PORT for one of them")
        }
        let holder = state.withLock { state in
            state.hasFormed
                ? nil
                : state.members.first {
                    $0.identity.number == rank && $0.address != address && !state.silent.contains($0.address.process)
                }
        }
        // Later a second worker of a rank is the first one's replacement.
        if let other = holder?.identity {
            throw JoinRefused(
                "rank \(rank) is given twice, to process \(other.processID) on host \(other.hostName) and process "
                    + "\(identity.processID) on host "
                    + "\(identity.hostName): give each task its own")
        }
    }

    /// Ends the time in which all ranks must have come.
    /// - Parameter advice: what allows more time.
    func endRendezvous(after limit: Duration, advice: String) {
        DispatchQueue.global().asyncAfter(deadline: .now() + limit.seconds) { [weak self] in
            self?.state.withLock { $0.rendezvousTime = (limit, advice) }
            self?.wake()
        }
    }

    /// - Throws: ``InputError`` if a rank may not join, ``RunError`` if one did not join in time.
    func checkRendezvous() throws {
        let (refusal, time, present, count) = state.withLock {
            ($0.refusal, $0.rendezvousTime, Set($0.members.compactMap(\.identity.number)), $0.members.count)
        }
        guard let placed else { return }
        if let refusal { throw InputError(refusal.description) }
        guard let (time, advice) = time else { return }
        guard present.count == count, count > 0 else {
            // Workers started by hand have no ranks.
            throw RunError("\(count) of \(placed) workers joined within \(Int(time.seconds)) s: \(advice)")
        }
        let missing = (0..<placed).filter { !present.contains($0) }.map(String.init)
        throw RunError(
            "\(placed - missing.count) of \(placed) workers joined within \(Int(time.seconds)) s, missing "
                + "\(missing.count == 1 ? "is rank" : "are ranks") "
                + "\(missing.joined(separator: ", ")): \(advice)")
    }
}
