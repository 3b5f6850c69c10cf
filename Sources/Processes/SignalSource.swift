package import Dispatch
internal import Foundation

/// Handles a signal on a Dispatch thread, instead of its default action.
///
/// Listens as long as it lives. @unchecked: it only owns the source, which Dispatch itself guards.
package struct SignalSource: @unchecked Sendable {
    private let source: any DispatchSourceSignal

    package init(_ number: Int32, on queue: DispatchQueue = .global(), _ act: @escaping @Sendable () -> Void) {
        _ = signal(number, SIG_IGN)
        source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler(handler: act)
        source.resume()
    }

    package func cancel() { source.cancel() }

    /// Whether whoever started this process had it ignore the signal.
    package static func isIgnored(_ number: Int32) -> Bool {
        var present = sigaction()
        guard unsafe sigaction(number, nil, &present) == 0 else { return false }
        let (found, ignored) = unsafe (
            unsafeBitCast(present.__sigaction_handler.sa_handler, to: Int.self), unsafeBitCast(SIG_IGN, to: Int.self)
        )
        return found == ignored
    }
}
