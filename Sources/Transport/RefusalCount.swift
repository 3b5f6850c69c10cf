internal import Synchronization

/// How many frames and connections of strangers a process's data links have refused, over all generations.
package final class RefusalCount: Sendable {
    private let refused = Atomic(0)

    package init() {}

    package var total: Int { refused.load(ordering: .relaxed) }

    func count() { refused.add(1, ordering: .relaxed) }
}
