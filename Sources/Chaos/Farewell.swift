internal import Foundation
internal import Processes

/// Ends this process at SIGINT or SIGTERM, after one last action.
package final class Farewell: Sendable {
    private let sources: [SignalSource]

    package init(_ act: @escaping @Sendable () -> Void) {
        sources = [SIGINT, SIGTERM].map { number in
            SignalSource(number) {
                act()
                _exit(128 + number)
            }
        }
    }
}
