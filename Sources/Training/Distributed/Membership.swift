package import Cluster
internal import Synchronization
package import Transport

/// The workers that are there, in the order in which they joined.
package final class Membership: Sendable {
    /// A worker that joined.
    package struct Member: Sendable {
        package let address: ActorAddress
        package let identity: WorkerIdentity
        /// Changed by formations and aborts.
        package var held: HeldState
    }

    private struct State {
        var members: [Member] = []
        /// Joined since the last generation was formed.
        var hasNews = false
        var waiting: CheckedContinuation<Void, Never>?
        var isClosed = false
    }

    private let state = Mutex(State())
    private let expected: WorkerIdentity
    private let allowList: AllowList?

    /// - Parameters:
    ///   - expected: what every worker's version and fingerprint must equal.
    ///   - allowList: the keys that workers may name; nil where links are plain.
    package init(expected: WorkerIdentity, allowList: AllowList? = nil) {
        self.expected = expected
        self.allowList = allowList
    }

    /// Takes a worker in.
    /// - Throws: ``JoinRefused`` when its results could differ from the others'.
    package func join(_ identity: WorkerIdentity, _ address: ActorAddress, _ held: HeldState) throws(JoinRefused) {
        guard identity.version == expected.version else {
            throw JoinRefused(
                "host \(identity.hostName) runs apus \(identity.version), the coordinator \(expected.version): install the same build on both")
        }
        guard identity.fingerprint == expected.fingerprint else {
            throw JoinRefused(
                "host \(identity.hostName) computes other bits than the coordinator (fingerprint \(identity.fingerprint), not "
                    + "\(expected.fingerprint)): set one OPENBLAS_CORETYPE for all hosts")
        }
        if let allowList, !(identity.key.map(allowList.contains) ?? false) {
            throw JoinRefused("host \(identity.hostName) names a key that is not allowed: give it a key file of this run's keys")
        }
        state.withLock { state in
            state.members.removeAll { $0.address == address }
            state.members.append(Member(address: address, identity: identity, held: held))
            state.hasNews = true
            state.waiting?.resume()
            state.waiting = nil
        }
    }

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

    package func remove(_ address: ActorAddress) { state.withLock { $0.members.removeAll { $0.address == address } } }

    package func update(_ address: ActorAddress, _ held: HeldState) {
        state.withLock { state in
            if let place = state.members.firstIndex(where: { $0.address == address }) { state.members[place].held = held }
        }
    }

    /// Returns when somebody has joined, or ``close()`` was called.
    package func change() async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if state.hasNews || state.isClosed { return true }
                state.waiting?.resume()
                state.waiting = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
    }

    /// Whether nobody will join any more.
    package var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Says that nobody will join any more, and ends a wait for it.
    package func close() {
        state.withLock { state in
            state.isClosed = true
            state.waiting?.resume()
            state.waiting = nil
        }
    }
}
