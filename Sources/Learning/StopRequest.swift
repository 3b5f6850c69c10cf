internal import Synchronization

/// Remembers that SIGINT, SIGTERM or a closed terminal asked the run to stop.
package final class StopRequest: Sendable {
    private let received = Atomic<Int32>(0)
    private let actions = Mutex<[@Sendable () -> Void]>([])

    package init() {}

    /// Requests a stop as the signal would.
    /// - Parameter announce: called once the request can be seen, before what others do at it.
    package func request(_ signal: Int32, announce: () -> Void = {}) {
        received.store(signal, ordering: .relaxed)
        announce()
        for action in actions.withLock({ $0 }) { action() }
    }

    /// Calls `action` when a stop is requested.
    package func whenRequested(_ action: @escaping @Sendable () -> Void) { actions.withLock { $0.append(action) } }

    /// The signal that was received, or nil.
    package var signal: Int32? {
        let number = received.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    /// - Throws: ``StoppedBetweenSteps`` if a stop was requested.
    package func check() throws(StoppedBetweenSteps) {
        if let signal { throw StoppedBetweenSteps(signal: signal) }
    }
}

/// A stop was requested while samples were scored, or while the output of a frozen encoder was computed: what was
/// computed so far is dropped, and the state is still that of the last step.
package struct StoppedBetweenSteps: Error, Equatable {
    package let signal: Int32
}
