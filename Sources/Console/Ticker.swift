internal import Dispatch

/// Calls something four times a second for as long as it lives.
///
/// @unchecked: it only owns the timer, which Dispatch itself guards.
final class Ticker: @unchecked Sendable {
    private let timer: any DispatchSourceTimer

    /// - Parameter first: how long until the first time.
    init(after first: DispatchTimeInterval = .milliseconds(250), _ act: @escaping @Sendable () -> Void) {
        timer = DispatchSource.makeTimerSource(queue: .global())
        timer.schedule(deadline: .now() + first, repeating: .milliseconds(250))
        timer.setEventHandler(handler: act)
        timer.resume()
    }

    deinit { timer.cancel() }
}
