package import Cluster
internal import Logging
internal import Synchronization
internal import Tracing
package import Transport

/// The present workers, by assigned numbers and then in the order in which they joined.
package final class Membership: Sendable {
    /// A worker that joined.
    package struct Member: Sendable {
        package let address: ActorAddress
        package let identity: WorkerIdentity
        /// Distinguishes this joining from an earlier one of the same process.
        fileprivate let joining: Int
    }

    struct State {
        var members: [Member] = []
        /// Joined since the last generation was formed.
        var hasNews = false
        var waiting: CheckedContinuation<Void, Never>?
        /// Whether a wait should end although no worker joined.
        var isWoken = false
        var joinings = 0
        var givenUp = 0
        /// The newest member of each process, including lost ones, up to ``Membership/mostKnown``.
        var known: [String: Member] = [:]
        /// The version and fingerprint that every worker must have.
        var expected: WorkerIdentity?
        /// Processes that are lost or silent.
        var silent: Set<String> = []
        /// The newest generation, its processes, and the way to end the coordinator's links to them.
        var links: (generation: UInt32, processes: Set<String>, canceller: MeshCanceller)?
        /// Whether a generation was formed.
        var hasFormed = false
        /// Why a required worker may not join.
        var refusal: JoinRefused?
        /// Time in which all placed workers should have come, once it is over.
        var rendezvousTime: (limit: Duration, advice: String)?

        mutating func wake() {
            waiting?.resume()
            waiting = nil
        }

        /// Forgets lost processes, which would have to join again, if there are too many.
        mutating func forgetLost() {
            guard max(known.count, silent.count) > mostKnown else { return }
            let present = Set(members.map(\.address.process))
            known = known.filter { present.contains($0.key) }
            silent.formIntersection(present)
        }
    }

    /// Processes, present and lost, of which something is kept: a worker's replacement has a name of its own.
    static let mostKnown = 2 * ClusterFile.mostWorkers
    /// Bytes of a text by which a worker describes itself.
    private static let longestText = 1_024

    let state = Mutex(State())
    /// Members that were removed because they did not answer.
    let removals: AsyncStream<Member>
    let removalsEnd: AsyncStream<Member>.Continuation
    private let allowList: AllowList?
    /// Ranks of the job in which an engine placed all workers; nil if any worker with a key may join.
    package let placed: Int?

    /// - Parameters:
    ///   - allowList: the keys that workers may name; nil if links are plain.
    ///   - placed: ranks of the job in which an engine placed all workers.
    package init(allowList: AllowList? = nil, placed: Int? = nil) {
        self.allowList = allowList
        self.placed = placed
        (removals, removalsEnd) = AsyncStream.makeStream()
    }

    /// Sets the version and fingerprint that every worker must have, before the first one joins.
    package func expect(_ identity: WorkerIdentity) { state.withLock { $0.expected = identity } }

    /// Admits a worker.
    /// - Throws: ``JoinRefused`` if its results could differ from the others', or it does not belong to the job.
    package func join(_ identity: WorkerIdentity, _ address: ActorAddress) throws(JoinRefused) {
        guard address.process != "coordinator" else {
            throw JoinRefused("a worker named itself as the coordinator: start it with apus work")
        }
        do throws(JoinRefused) {
            try check(identity)
            try checkPlace(identity, address)
        } catch {
            refuse(error)
            throw error
        }
        state.withLock { state in
            state.joinings += 1
            let member = Member(address: address, identity: identity, joining: state.joinings)
            state.members.removeAll { $0.address == address }
            let number = identity.number ?? .max
            let place = state.members.firstIndex { number < $0.identity.number ?? .max } ?? state.members.endIndex
            state.members.insert(member, at: place)
            state.known[address.process] = member
            state.silent.remove(address.process)
            state.forgetLost()
            state.hasNews = true
            state.wake()
        }
        Trace.run?.debug(
            "worker joined", metadata: ["process": "\(address.process)", "host": "\(identity.hostName)"])
    }

    /// A placed worker that may not join prevents the run from starting.
    private func refuse(_ error: JoinRefused) {
        state.withLock { if !$0.hasFormed { $0.refusal = $0.refusal ?? error } }
        if placed != nil { wake() }
    }

    private func check(_ identity: WorkerIdentity) throws(JoinRefused) {
        guard let expected = state.withLock({ $0.expected }) else {
            throw JoinRefused("the coordinator has not started yet: try again")
        }
        let texts = [
            identity.version, identity.fingerprint, identity.arithmeticName ?? "", identity.host, identity.hostName,
        ]
        guard texts.allSatisfy({ $0.utf8.count <= Self.longestText }) else {
            throw JoinRefused(
                "a worker describes itself in more than \(Self.longestText) bytes: install the same build on both")
        }
        guard identity.version == expected.version else {
            throw JoinRefused(
                "host \(identity.hostName) runs apus \(identity.version), the coordinator \(expected.version): "
                    + "install the same build on both"
            )
        }
        let (spoken, own) = (identity.protocols ?? .unnamed, expected.protocols ?? .unnamed)
        guard spoken == own else {
            throw JoinRefused(
                "host \(identity.hostName) speaks \(spoken), the coordinator \(own): install the same build on both")
        }
        let there = (identity.arithmetic, identity.arithmeticName, identity.fingerprint)
        let here = (expected.arithmetic, expected.arithmeticName, expected.fingerprint)
        if let difference = ArithmeticDifference(there: there, here: here) {
            throw JoinRefused("host \(identity.hostName) \(difference.description)")
        }
        if let allowList, !(identity.key.map(allowList.contains) ?? false) {
            throw JoinRefused(
                "host \(identity.hostName) names a key that is not allowed: give it a key file of this run's keys")
        }
    }

    /// The newest member of a process, even if lost.
    package func known(_ process: String) -> Member? { state.withLock { $0.known[process] } }

    /// Whether the member's process has not joined again since.
    func isNewest(_ member: Member) -> Bool { known(member.address.process)?.joining == member.joining }

    package var members: [Member] { state.withLock { $0.members } }

    /// Whether a worker joined since the last call of ``takeMembers()``.
    package var hasNews: Bool { state.withLock { $0.hasNews } }

    /// The members for a new generation.
    package func takeMembers() -> [Member] {
        state.withLock { state in
            state.hasNews = false
            state.hasFormed = true
            return state.members
        }
    }

    /// Removes a worker, unless it has joined again meanwhile.
    package func remove(_ member: Member) {
        state.withLock { $0.members.removeAll { $0.joining == member.joining } }
        Trace.run?.debug("worker removed", metadata: ["process": "\(member.address.process)"])
    }

    /// Removes a worker that did not answer. It is readmitted if it has been heard again since.
    package func removeLost(_ member: Member) {
        remove(member)
        removalsEnd.yield(member)
    }

    /// Returns when a worker has joined, or after ``wake()`` or ``giveUp(_:)``.
    package func change() async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if state.hasNews || state.isWoken {
                    state.hasNews = false
                    state.isWoken = false
                    return true
                }
                state.wake()
                state.waiting = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
    }

    /// Ends the wait for a change: something else has changed.
    package func wake() {
        state.withLock { state in
            state.isWoken = state.waiting == nil
            state.wake()
        }
    }

    /// Requested workers that will not join.
    package var givenUp: Int { state.withLock { $0.givenUp } }

    /// Records that this many more of the requested workers will not join.
    package func giveUp(_ count: Int) {
        state.withLock { $0.givenUp += count }
        wake()
    }
}
