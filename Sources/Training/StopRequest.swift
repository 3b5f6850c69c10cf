internal import Dispatch
internal import Foundation
internal import Synchronization

/// Remembers that SIGINT, SIGTERM or a closed terminal asked the run to stop; a later signal ends the process at once.
package final class StopRequest: Sendable {
    private let received = Atomic<Int32>(0)
    private let isListening = Atomic(false)
    private let signals = Mutex(StopSignals())
    /// Signals are handled one after another, in the order in which they arrive.
    private let queue = DispatchQueue(label: "apus.signals")
    /// Moved on by a timer in the same order: however late signals are handled that arrived together, they are one.
    private let time = Mutex(ContinuousClock.now)
    private let sources = Mutex<[SignalSource]>([])
    private let actions = Mutex<[@Sendable () -> Void]>([])

    package init() {}

    /// Begins to listen, the first time it is called.
    /// - Parameter heedsHangup: whether the end of the terminal asks for a stop, unless SIGHUP is ignored, as under
    ///   nohup.
    package func listen(heedsHangup: Bool = false) {
        guard !isListening.exchange(true, ordering: .relaxed) else { return }
        let hangup = heedsHangup && !SignalSource.isIgnored(SIGHUP) ? [SIGHUP] : []
        let listening = ([SIGINT, SIGTERM] + hangup).map { number in
            SignalSource(number, on: queue) { [self] in
                switch signals.withLock({ $0.receive(at: time.withLock { $0 }) }) {
                case .repeated: return
                case .endAtOnce:
                    sayBeforeEnd("ended at once, without a checkpoint of this step")
                    Screen.shared.leave()
                    _exit(128 + number)
                case .stop:
                    queue.asyncAfter(deadline: .now() + StopSignals.burst.seconds) { [self] in
                        time.withLock { $0 += StopSignals.burst }
                    }
                    received.store(number, ordering: .relaxed)
                    sayToUser("stopping after this step; repeat to end at once")
                    act()
                }
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
