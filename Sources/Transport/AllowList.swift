internal import Synchronization

/// The public keys that may connect, changeable at any time and from any thread.
package final class AllowList: Sendable {
    private let keys: Mutex<Set<PublicKey>>
    private let refusals = Atomic(0)

    package init(_ keys: Set<PublicKey> = []) { self.keys = Mutex(keys) }

    package func allow(_ key: PublicKey) { keys.withLock { _ = $0.insert(key) } }

    /// Lets no new connection of `key` in. Connections it has stay until their sockets close: start a new generation.
    package func remove(_ key: PublicKey) { keys.withLock { _ = $0.remove(key) } }

    /// Lets in the holders of `keys` from now on, and nobody else; what ``remove(_:)`` says holds for those left out.
    package func replace(with keys: Set<PublicKey>) { self.keys.withLock { $0 = keys } }

    package func contains(_ key: PublicKey) -> Bool { keys.withLock { $0.contains(key) } }

    /// Connections refused so far.
    package var refused: Int { refusals.load(ordering: .relaxed) }

    /// Whether `key` is let in; a refusal is counted.
    func admits(_ key: PublicKey) -> Bool {
        if contains(key) { return true }
        refusals.add(1, ordering: .relaxed)
        return false
    }
}
