internal import Synchronization

/// A thread that owns thread-bound objects, such as sockets, and runs its work items in order.
package final class DataThread<Core>: Sendable {
    private let jobs = Mutex<[Job?]>([])
    private let ready: any Bell

    private struct Job: Sendable {
        let run: @Sendable (Core) -> Void
    }

    /// - Parameter make: creates the thread's state, on the thread.
    package init(
        name: String, surroundings: any Surroundings = SystemSurroundings(), _ make: @escaping @Sendable () -> Core
    ) {
        ready = surroundings.makeBell()
        surroundings.startThread(name) { [self] in
            let core = make()
            while let job = next() { job.run(core) }
        }
    }

    /// The next work item; nil if the thread is to end.
    private func next() -> Job? {
        ready.wait()
        return jobs.withLock { $0.removeFirst() }
    }

    private func add(_ job: Job?) {
        jobs.withLock { $0.append(job) }
        ready.ring()
    }

    /// Runs `work` on the thread, after all earlier work.
    package func perform<Result: Sendable>(_ work: @escaping @Sendable (Core) throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            add(Job { core in continuation.resume(with: Swift.Result { try work(core) }) })
        }
    }

    /// Runs work that cannot fail on the thread, after all earlier work.
    package func performQuietly<Result: Sendable>(_ work: @escaping @Sendable (Core) -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            add(Job { core in continuation.resume(returning: work(core)) })
        }
    }

    /// Enqueues `work` on the thread, after all earlier work, without waking another thread.
    package func begin<Result: Sendable>(_ work: @escaping @Sendable (Core) throws -> Result) -> Begun<Result> {
        let begun = Begun<Result>()
        add(Job { core in begun.end(with: Swift.Result { try work(core) }) })
        return begun
    }

    /// Ends the thread after all earlier work.
    package func end() { add(nil) }
}

/// Work that another thread does.
package final class Begun<Value: Sendable>: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<Value, any Error>)
        case ended(Result<Value, any Error>)
    }

    private let state = Mutex(State.open)

    func end(with result: Result<Value, any Error>) {
        let waiting: CheckedContinuation<Value, any Error>? = state.withLock { state in
            defer { state = .ended(result) }
            if case .awaited(let continuation) = state { return continuation }
            return nil
        }
        waiting?.resume(with: result)
    }

    /// The result; for one reader at a time.
    package var value: Value {
        get async throws {
            try await withCheckedThrowingContinuation { continuation in
                let ended: Result<Value, any Error>? = state.withLock { state in
                    if case .ended(let result) = state { return result }
                    state = .awaited(continuation)
                    return nil
                }
                if let ended { continuation.resume(with: ended) }
            }
        }
    }
}
