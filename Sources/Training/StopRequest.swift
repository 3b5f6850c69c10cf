internal import Foundation
internal import Synchronization

/// Remembers that SIGINT or SIGTERM asked the run to stop; a second one ends the process at once.
package final class StopRequest: Sendable {
    private let received = Atomic<Int32>(0)
    private let isListening = Atomic(false)
    private let sources = Mutex<[SignalSource]>([])
    private let actions = Mutex<[@Sendable () -> Void]>([])

    package init() {}

    /// Begins to listen, the first time it is called.
    package func listen() {
        guard !isListening.exchange(true, ordering: .relaxed) else { return }
        let listening = [SIGINT, SIGTERM].map { number in
            SignalSource(number) { [self] in
                if received.exchange(number, ordering: .relaxed) != 0 {
                    Screen.shared.leave()
                    _exit(128 + number)
                }
                sayToUser("stopping after this step; once more to end at once")
                act()
            }
        }
        sources.withLock { $0 = listening }
    }

    /// Asks for a stop as the signal would.
    package func request(_ signal: Int32) {
        received.store(signal, ordering: .relaxed)
        act()
    }

    /// Has `action` called when a stop is asked for.
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
