internal import Dispatch
internal import Kernels
internal import Synchronization

/// Runs `body` for each of `count` work items on at most `threads` threads, and waits for all of them.
///
/// Items are distributed in order; the thread of an item is not determined, so its result must not depend on it.
/// Every thread sets the rounding mode first.
package func inParallel(_ count: Int, threads: Int, _ body: @Sendable (_ piece: Int, _ thread: Int) -> Void) {
    let workers = min(count, threads)
    Arithmetic.setFloatEnvironment()
    if workers <= 1 {
        for piece in 0..<count { body(piece, 0) }
        return
    }
    let next = Atomic(0)
    DispatchQueue.concurrentPerform(iterations: workers) { thread in
        Arithmetic.setFloatEnvironment()
        while true {
            let piece = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard piece < count else { return }
            body(piece, thread)
        }
    }
}
