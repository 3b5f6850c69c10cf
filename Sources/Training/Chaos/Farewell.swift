internal import Foundation

/// Ends this process at SIGINT or SIGTERM, after one last act.
final class Farewell: Sendable {
    /// Guarded by Dispatch itself.
    private struct Source: @unchecked Sendable {
        let source: any DispatchSourceSignal
    }

    private let sources: [Source]

    init(_ act: @escaping @Sendable () -> Void) {
        sources = [SIGINT, SIGTERM].map { number in
            _ = signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                act()
                _exit(128 + number)
            }
            source.resume()
            return Source(source: source)
        }
    }
}
