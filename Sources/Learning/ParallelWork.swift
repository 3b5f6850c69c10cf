internal import Kernels

/// Runs `body` for each of `count` work items on at most `threads` threads, and waits for all of them.
///
/// Items are distributed in order; the thread of an item is not determined, so its result must not depend on it.
/// Every thread sets the rounding mode first.
package func inParallel(_ count: Int, threads: Int, _ body: @Sendable (_ piece: Int) -> Void) {
    Arithmetic.setFloatEnvironment()
    Team.run(count, threads: threads, body)
}
