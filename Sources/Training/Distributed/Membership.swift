package import Cluster
internal import Synchronization
package import Transport

/// The workers that are there, by the numbers that they were given and then in the order in which they joined.
package final class Membership: Sendable {
    /// A worker that joined.
    package struct Member: Sendable {
        package let address: ActorAddress
        package let identity: WorkerIdentity
        /// The newest report of its process.
        package fileprivate(set) var held: HeldState
        /// Tells this joining from an earlier one of the same process.
        fileprivate let joining: Int
    }

    struct State {
        var members: [Member] = []
        /// Joined since the last generation was formed.
        var hasNews = false
        var waiting: CheckedContinuation<Void, Never>?
        /// Whether a wait should end although nobody joined.
        var isWoken = false
        var joinings = 0
        var givenUp = 0
        /// The newest member of each process, lost ones too.
        var known: [String: Member] = [:]
        /// What every worker's version and fingerprint must equal.
        var expected: WorkerIdentity?
        /// Processes that are lost or silent.
        var silent: Set<String> = []
        /// The newest generation, its processes, and what ends the coordinator's links to them.
        var links: (generation: UInt32, processes: Set<String>, canceller: MeshCanceller)?
        /// Whether a generation was formed.
        var hasFormed = false
        /// Why a worker that was needed may not join.
        var refusal: JoinRefused?
        /// Time in which all placed workers should have come, once it is over.
        var rendezvousTime: (limit: Duration, advice: String)?

        /// The newer one of a report and what is known of that process, lost or not: a report that was sent again, or that was
        /// overtaken, says what is no longer so.
        func newest(_ held: HeldState, of address: ActorAddress) -> HeldState {
            guard let known = known[address.process], known.address == address, known.held.report > held.report else { return held }
            return known.held
        }

        mutating func wake() {
            waiting?.resume()
            waiting = nil
        }
    }

    let state = Mutex(State())
    private let allowList: AllowList?
    /// Ranks of the job in which an engine placed all workers; nil where anybody with a key may join.
    package let placed: Int?

    /// - Parameters:
    ///   - allowList: the keys that workers may name; nil where links are plain.
    ///   - placed: ranks of the job in which an engine placed all workers.
    package init(allowList: AllowList? = nil, placed: Int? = nil) {
        self.allowList = allowList
        self.placed = placed
    }

    /// Says what every worker's version and fingerprint must equal: before the first of them joins.
    package func expect(_ identity: WorkerIdentity) { state.withLock { $0.expected = identity } }

    /// Takes a worker in.
    /// - Throws: ``JoinRefused`` when its results could differ from the others', or it has no place in the job.
    package func join(_ identity: WorkerIdentity, _ address: ActorAddress, _ held: HeldState) throws(JoinRefused) {
        guard address.process != "coordinator" else { throw JoinRefused("a worker named itself as the coordinator: start it with apus work") }
        do throws(JoinRefused) {
            try check(identity)
            try checkPlace(identity, address)
        } catch {
            refuse(error)
            throw error
        }
        state.withLock { state in
            state.joinings += 1
            let held = state.newest(held, of: address)
            let member = Member(address: address, identity: identity, held: held, joining: state.joinings)
            state.members.removeAll { $0.address == address }
            let number = identity.number ?? .max
            let place = state.members.firstIndex { number < $0.identity.number ?? .max } ?? state.members.endIndex
            state.members.insert(member, at: place)
            state.known[address.process] = member
            state.silent.remove(address.process)
            state.hasNews = true
            state.wake()
        }
    }

    /// A placed worker that may not join keeps the run from beginning.
    private func refuse(_ error: JoinRefused) {
        state.withLock { if !$0.hasFormed { $0.refusal = $0.refusal ?? error } }
        if placed != nil { wake() }
    }

    private func check(_ identity: WorkerIdentity) throws(JoinRefused) {
        guard let expected = state.withLock({ $0.expected }) else { throw JoinRefused("the coordinator has not begun: try again") }
        guard identity.version == expected.version else {
            throw JoinRefused(
                "host \(identity.hostName) runs apus \(identity.version), the coordinator \(expected.version): install the same build on both")
        }
        let there = (identity.arithmetic, identity.arithmeticName, identity.fingerprint)
        let here = (expected.arithmetic, expected.arithmeticName, expected.fingerprint)
        if let difference = ArithmeticDifference(there: there, here: here) {
            throw JoinRefused("host \(identity.hostName) \(difference.description)")
        }
        if let allowList, !(identity.key.map(allowList.contains) ?? false) {
            throw JoinRefused("host \(identity.hostName) names a key that is not allowed: give it a key file of this run's keys")
        }
    }

    /// The newest member of a process, also a lost one.
    package func known(_ process: String) -> Member? { state.withLock { $0.known[process] } }

    /// Whether the member's process has not joined again since.
    func isNewest(_ member: Member) -> Bool { known(member.address.process)?.joining == member.joining }

    package var members: [Member] { state.withLock { $0.members } }

    /// Whether somebody joined since the last call of ``takeMembers()``.
    package var hasNews: Bool { state.withLock { $0.hasNews } }

    /// The members for a new generation.
    package func takeMembers() -> [Member] {
        state.withLock { state in
            state.hasNews = false
            state.hasFormed = true
            return state.members
        }
    }

    /// Takes a lost worker out, unless it has joined again meanwhile.
    package func remove(_ member: Member) { state.withLock { $0.members.removeAll { $0.joining == member.joining } } }

    /// Notes what a worker reported, also where it has joined again meanwhile, unless a newer report is known.
    package func update(_ address: ActorAddress, _ held: HeldState) {
        state.withLock { state in
            let newest = state.newest(held, of: address)
            state.known[address.process]?.held = newest
            if let index = state.members.firstIndex(where: { $0.address == address }) { state.members[index].held = newest }
        }
    }

    /// Returns when somebody has joined, or after ``wake()`` or ``giveUp(_:)``.
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

    /// Workers that were wanted and will not come.
    package var givenUp: Int { state.withLock { $0.givenUp } }

    /// Says that so many more of the wanted workers will not come.
    package func giveUp(_ count: Int) {
        state.withLock { $0.givenUp += count }
        wake()
    }
}
