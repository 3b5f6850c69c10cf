internal import Synchronization

/// The public keys that may connect, which may change at any time and from any thread.
package final class AllowList: Sendable {
    private let keys: Mutex<Set<PublicKey>>
    private let refusals = Atomic(0)

    package init(_ keys: Set<PublicKey> = []) { self.keys = Mutex(keys) }

    /// Admits a key from now on.
    package func allow(_ key: PublicKey) { keys.withLock { _ = $0.insert(key) } }

    /// Refuses new connections of `key`. Its existing connections last until their sockets close: start a new
    /// generation.
    package func remove(_ key: PublicKey) { keys.withLock { _ = $0.remove(key) } }

    /// Admits only the holders of `keys` from now on; other keys are treated as by ``remove(_:)``.
    package func replace(with keys: Set<PublicKey>) { self.keys.withLock { $0 = keys } }

    package func contains(_ key: PublicKey) -> Bool { keys.withLock { $0.contains(key) } }

    /// Connections refused so far.
    package var refused: Int { refusals.load(ordering: .relaxed) }

    /// Whether `key` is admitted; counts a refusal.
    func admits(_ key: PublicKey) -> Bool {
        if contains(key) { return true }
        refusals.add(1, ordering: .relaxed)
        return false
    }
}
