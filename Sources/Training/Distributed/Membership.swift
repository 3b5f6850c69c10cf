package import Cluster
internal import Synchronization
package import Transport

/// The workers that are there, by the numbers that they were given and then in the order in which they joined.
package final class Membership: Sendable {
    /// A worker that joined.
    package struct Member: Sendable {
        package let address: ActorAddress
        package let identity: WorkerIdentity
        /// Changed by formations and aborts.
        package var held: HeldState
        /// Tells this joining from an earlier one of the same process.
        fileprivate let joining: Int
    }

    private struct State {
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

        mutating func wake() {
            waiting?.resume()
            waiting = nil
        }
    }

    private let state = Mutex(State())
    private let allowList: AllowList?

    /// - Parameter allowList: the keys that workers may name; nil where links are plain.
    package init(allowList: AllowList? = nil) { self.allowList = allowList }

    /// Says what every worker's version and fingerprint must equal: before the first of them joins.
    package func expect(_ identity: WorkerIdentity) { state.withLock { $0.expected = identity } }

    /// Takes a worker in.
    /// - Throws: ``JoinRefused`` when its results could differ from the others'.
    package func join(_ identity: WorkerIdentity, _ address: ActorAddress, _ held: HeldState) throws(JoinRefused) {
        guard let expected = state.withLock({ $0.expected }) else { throw JoinRefused("the coordinator has not begun: try again") }
        guard identity.version == expected.version else {
            throw JoinRefused(
                "host \(identity.hostName) runs apus \(identity.version), the coordinator \(expected.version): install the same build on both")
        }
        guard identity.fingerprint == expected.fingerprint else {
            throw JoinRefused(
                "host \(identity.hostName) computes other bits than the coordinator (OpenBLAS for \(identity.coreType) there, for "
                    + "\(expected.coreType) here): set one OPENBLAS_CORETYPE for all hosts, such as Haswell, and install the same OpenBLAS",
                coreType: expected.coreType, fingerprint: expected.fingerprint)
        }
        if let allowList, !(identity.key.map(allowList.contains) ?? false) {
            throw JoinRefused("host \(identity.hostName) names a key that is not allowed: give it a key file of this run's keys")
        }
        state.withLock { state in
            state.joinings += 1
            let member = Member(address: address, identity: identity, held: held, joining: state.joinings)
            state.members.removeAll { $0.address == address }
            let number = identity.number ?? .max
            let place = state.members.firstIndex { number < $0.identity.number ?? .max } ?? state.members.endIndex
            state.members.insert(member, at: place)
            state.known[address.process] = member
            state.hasNews = true
            state.wake()
        }
    }

    /// The newest member of a process, also a lost one.
    package func known(_ process: String) -> Member? { state.withLock { $0.known[process] } }

    package var members: [Member] { state.withLock { $0.members } }

    /// Whether somebody joined since the last call of ``takeMembers()``.
    package var hasNews: Bool { state.withLock { $0.hasNews } }

    /// The members for a new generation.
    package func takeMembers() -> [Member] {
        state.withLock { state in
            state.hasNews = false
            return state.members
        }
    }

    /// Takes a lost worker out, unless it has joined again meanwhile.
    package func remove(_ member: Member) { state.withLock { $0.members.removeAll { $0.joining == member.joining } } }

    /// Notes what a worker has by now, unless it has joined again meanwhile.
    package func update(_ member: Member, _ held: HeldState) {
        state.withLock { state in
            if let place = state.members.firstIndex(where: { $0.joining == member.joining }) { state.members[place].held = held }
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
