internal import Dispatch
internal import Foundation

/// What coordinator and workers take from the system: time, chance and threads.
///
/// The tests' simulation has its own, so that a seed decides all of it and time takes no time.
package protocol Surroundings: Sendable {
    var now: ContinuousClock.Instant { get }

    /// - Throws: ``CancellationError``.
    func sleep(for pause: Duration) async throws

    /// Calls `body` after a pause, from any thread.
    func after(_ pause: Duration, _ body: @escaping @Sendable () -> Void)

    /// A random number.
    func random(in range: ClosedRange<UInt64>) -> UInt64

    /// Runs `body` on a thread of its own. The system shows the name with the thread.
    func startThread(_ name: String, _ body: @escaping @Sendable () -> Void)

    /// A bell for two threads: one waits, another rings.
    func makeBell() -> any Bell
}

/// Lets a thread wait: each ``ring()`` ends one ``wait()``, an earlier or a later one.
package protocol Bell: Sendable {
    func ring()
    func wait()
}

/// The system itself.
package struct SystemSurroundings: Surroundings {
    package init() {}

    package var now: ContinuousClock.Instant { .now }

    package func sleep(for pause: Duration) async throws { try await Task.sleep(for: pause) }

    package func after(_ pause: Duration, _ body: @escaping @Sendable () -> Void) {
        DispatchQueue.global().asyncAfter(deadline: .now() + pause / .seconds(1), execute: body)
    }

    package func random(in range: ClosedRange<UInt64>) -> UInt64 { UInt64.random(in: range) }

    package func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread {
            // Failure to set the name does not matter.
            try? Data(name.utf8).write(to: URL(filePath: "/proc/thread-self/comm"))
            body()
        }
        thread.start()
    }

    package func makeBell() -> any Bell { Semaphore() }

    private struct Semaphore: Bell {
        private let semaphore = DispatchSemaphore(value: 0)
        func ring() { semaphore.signal() }
        func wait() { semaphore.wait() }
    }
}
