internal import Foundation
internal import Synchronization

/// Records a request to stop by SIGINT or SIGTERM; a second one ends the process at once.
package final class StopRequest: Sendable {
    private let received = Atomic<Int32>(0)
    private let isListening = Atomic(false)
    private let sources = Mutex<[SignalSource]>([])
    private let actions = Mutex<[@Sendable () -> Void]>([])

    package init() {}

    /// Installs the handlers on the first call.
    package func listen() {
        guard !isListening.exchange(true, ordering: .relaxed) else { return }
        let listening = [SIGINT, SIGTERM].map { number in
            SignalSource(number) { [self] in
                if received.exchange(number, ordering: .relaxed) != 0 {
                    Screen.shared.leave()
                    _exit(128 + number)
                }
                sayToUser("stopping after this step; repeat to end at once")
                act()
            }
        }
        sources.withLock { $0 = listening }
    }

    /// Requests a stop as the signal would.
    package func request(_ signal: Int32) {
        received.store(signal, ordering: .relaxed)
        act()
    }

    /// Calls `action` when a stop is requested.
    package func whenRequested(_ action: @escaping @Sendable () -> Void) { actions.withLock { $0.append(action) } }

    private func act() {
        for action in actions.withLock({ $0 }) { action() }
    }

    /// The signal that was received, or nil.
    package var signal: Int32? {
        let number = received.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }
}
