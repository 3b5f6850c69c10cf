internal import Glibc
internal import Synchronization

/// A dedicated thread for work that blocks in libzmq, which must never happen on Swift's cooperative pool.
package final class ServiceThread: Sendable {
    private let thread: pthread_t
    private let isJoined = Atomic(false)

    /// Starts a thread that runs `body` to its end.
    package init(_ body: sending @escaping () -> Void) {
        let work = Work(body)
        var thread = pthread_t()
        let result = unsafe pthread_create(
            &thread, nil,
            { argument in
                unsafe Unmanaged<Work>.fromOpaque(argument!).takeRetainedValue().body()
                return nil
            }, Unmanaged.passRetained(work).toOpaque())
        precondition(result == 0, "the system could not create a thread: errno \(result)")
        self.thread = thread
    }

    /// The thread keeps running.
    deinit {
        if !isJoined.load(ordering: .relaxed) { pthread_detach(thread) }
    }

    /// Waits until the thread has ended.
    package func join() {
        if !isJoined.exchange(true, ordering: .relaxed) { pthread_join(thread, nil) }
    }
}

private final class Work {
    let body: () -> Void

    init(_ body: sending @escaping () -> Void) { self.body = body }
}
