internal import Console
internal import Dispatch
internal import Foundation
internal import Learning
internal import Processes
internal import Synchronization
internal import Wording

extension StopRequest {
    /// From now on SIGINT, SIGTERM or a closed terminal ask the run to stop; a later signal ends the process at once.
    /// To be called once.
    /// - Parameter heedsHangup: whether the end of the terminal asks for a stop, unless SIGHUP is ignored, as under
    ///   nohup.
    package func listen(heedsHangup: Bool = false) {
        SignalListener(self).listen(heedsHangup: heedsHangup)
    }
}

/// Signals that ask for a stop. Its sources keep it, to the end of the process.
private final class SignalListener: Sendable {
    private let stop: StopRequest
    private let signals = Mutex(StopSignals())
    /// Signals are handled one after another, in the order in which they arrive.
    private let queue = DispatchQueue(label: "apus.signals")
    /// Moved on by a timer in the same order: however late signals are handled that arrived together, they are one.
    private let time = Mutex(ContinuousClock.now)
    private let sources = Mutex<[SignalSource]>([])

    init(_ stop: StopRequest) { self.stop = stop }

    func listen(heedsHangup: Bool) {
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
                    stop.request(number) { sayToUser("stopping after this step; repeat to end at once") }
                }
            }
        }
        sources.withLock { $0 = listening }
    }
}
