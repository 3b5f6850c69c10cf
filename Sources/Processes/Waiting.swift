internal import Dispatch
internal import Synchronization

/// Runs asynchronous work from a blocking thread, and waits for it.
package func waitFor<Result: Sendable>(_ work: sending @escaping () async throws -> Result) throws -> Result {
    let done = DispatchSemaphore(value: 0)
    let box = ResultBox<Result>()
    let job = Job(work: work)
    Task {
        do { box.set(.success(try await job.work())) } catch { box.set(.failure(error)) }
        done.signal()
    }
    done.wait()
    return try box.get()
}

/// Work passed to a task. @unchecked: only that task runs it, and its caller waits for the end.
private struct Job<Result>: @unchecked Sendable {
    let work: () async throws -> Result
}

private final class ResultBox<Value: Sendable>: Sendable {
    private let value = Mutex<Result<Value, any Error>?>(nil)

    func set(_ result: Result<Value, any Error>) { value.withLock { $0 = result } }

    func get() throws -> Value {
        guard let result = value.withLock({ $0 }) else { preconditionFailure("the work has not ended") }
        return try result.get()
    }
}

/// Work on another thread, whose result is requested later.
package final class BackgroundWork<Value: Sendable>: Sendable {
    private let box = ResultBox<Value>()
    private let done = DispatchGroup()

    package init(_ work: @escaping @Sendable () throws -> Value) {
        DispatchQueue.global().async(group: done) { [box] in box.set(Result { try work() }) }
    }

    /// Waits for the result.
    package func value() throws -> Value {
        done.wait()
        return try box.get()
    }
}
