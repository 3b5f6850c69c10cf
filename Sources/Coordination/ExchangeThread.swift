internal import Synchronization

/// A thread that does one piece of work after another for the thread that made it, which does something else meanwhile.
///
/// It holds nothing between two pieces of work. Belongs to the thread that made it.
final class ExchangeThread {
    private let desk: Desk

    /// What both threads reach.
    private final class Desk: Sendable {
        let work = Mutex<(@Sendable () -> Void)?>(nil)
        let begun: any Bell
        let done: any Bell

        init(_ surroundings: any Surroundings) {
            (begun, done) = (surroundings.makeBell(), surroundings.makeBell())
        }

        /// Does the next piece of work, and releases it; false if the thread is to end.
        func doNext() -> Bool {
            begun.wait()
            guard let work = work.withLock({ $0.take() }) else { return false }
            work()
            return true
        }
    }

    init(_ surroundings: any Surroundings) {
        let desk = Desk(surroundings)
        self.desk = desk
        surroundings.startThread("apus exchange") {
            while desk.doNext() { desk.done.ring() }
            desk.done.ring()
        }
    }

    /// Lets the thread do `work`; ``join()`` follows.
    func begin(_ work: @escaping @Sendable () -> Void) {
        desk.work.withLock { $0 = work }
        desk.begun.ring()
    }

    /// Waits until the work is done, and released.
    func join() { desk.done.wait() }

    /// Ends the thread, and waits for its end; no work is open.
    func end() {
        desk.begun.ring()
        desk.done.wait()
    }
}
