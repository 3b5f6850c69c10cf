package import Reduction
package import Tensors

/// Adds the gradients of all ranks in the order of the reduction tree, for one generation.
///
/// Phases of a bucket: every rank publishes its block sums; servers send partial sums to the owners on other hosts;
/// owners add frame by frame as soon as all of a frame's partial sums are there and send the total. Frames of the next
/// bucket follow at once if this rank's sums of it are complete. A last signal ends the exchange. One rank, one host
/// and many hosts are the same code. Used by one thread at a time, as its mesh.
///
/// A server sends an owner frame k only when it has frame k - 3 of the total (``window``). A link therefore holds at
/// most 6 (R + 1) frames of two successive exchanges, R being the most roots of a host, at most 2 log₂(lanes): with a
/// queue of that length no two ranks wait for each other.
package final class AllReduce {
    /// Runs independent tasks, possibly on several threads, and returns when all are done.
    package typealias Parallel = (_ count: Int, _ body: @Sendable (Int) -> Void) -> Void

    /// Frames of partial sums that a server sends an owner ahead of the returning totals: 384 KiB, 0.3 ms at 10 Gb/s.
    /// More of them no longer stay in the processor's caches: on one machine, eight frames reduced the speed by a
    /// tenth.
    static let window = 3

    package let plan: ExchangePlan
    package let memory: HostMemory
    package let links: ExchangeLinks
    private let parallel: Parallel
    private let route: ExchangeRoute
    /// The additions of the last exchange; reused for the next one if the same lanes are empty.
    private var additions: Additions?

    private struct Additions {
        let emptyLanes: Set<Int>
        let sums: ExchangePlan.Sums
        /// Nil if every lane is empty.
        let program: SumProgram?
    }

    package init(
        plan: ExchangePlan, memory: HostMemory, links: ExchangeLinks,
        parallel: @escaping Parallel = { count, body in for piece in 0..<count { body(piece) } }
    ) {
        precondition(
            plan.worldSize == links.worldSize, "a plan for \(plan.worldSize) ranks, links for \(links.worldSize)")
        self.plan = plan
        self.memory = memory
        self.links = links
        self.parallel = parallel
        route = ExchangeRoute(plan, rank: links.rank)
    }

    /// This rank's block sums, to be written by the caller before ``run(step:emptyLanes:gate:limit:)`` or, with a gate,
    /// before it says so.
    package var blocks: [FloatView] { memory.regions[links.rank]?.blocks ?? [] }

    /// The sum over all lanes, of block sums that are complete.
    package func run(step: UInt64, emptyLanes: Set<Int> = [], deadline: ContinuousClock.Instant)
        throws(ExchangeError) -> ReducedGradient?
    {
        try run(step: step, emptyLanes: emptyLanes, gate: nil) { deadline }
    }

    /// The sum over all lanes.
    ///
    /// Before any rank calls this, every rank has ended the previous exchange, or every host has lanes with samples in
    /// this one: memory that was lent to a link is overwritten. The caller no longer reads the previous exchange's
    /// result. The block sums may be overwritten once the result is no longer needed.
    ///
    /// - Parameters:
    ///   - step: unique in this generation.
    ///   - emptyLanes: lanes without samples, the same on every rank. A block with only empty lanes is not read.
    ///   - gate: says which buckets of the block sums are complete; nil if all are.
    ///   - limit: the deadline as of now; asked for whenever a bucket is complete.
    /// - Returns: nil if every lane is empty.
    /// - Throws: ``ExchangeError``. The generation is over; this rank's block sums are unchanged, and the result memory
    ///   contains no valid sum.
    /// - Complexity: 2 hops between hosts, 2 signals within one; bytes as in Collectives.docc.
    package func run(
        step: UInt64, emptyLanes: Set<Int>, gate: BucketGate?, limit: @escaping () -> ContinuousClock.Instant
    ) throws(ExchangeError) -> ReducedGradient? {
        let additions = additions(emptyLanes)
        guard let program = additions.program else { return nil }
        links.computed = gate.map { gate in { gate.completed } }
        defer { links.computed = nil }
        let run = AllReduceRun(
            plan: plan, route: route, memory: memory, sums: additions.sums, program: program, links: links, step: step,
            gate: gate, limit: limit)
        if plan.members.count == 1 {
            try run.addOnHost(parallel)
        } else {
            try run.exchangeFrames()
        }
        try run.end()
        let result = run.result
        links.countShared(run.sharedBytes)
        return result
    }

    private func additions(_ emptyLanes: Set<Int>) -> Additions {
        if let additions, additions.emptyLanes == emptyLanes { return additions }
        let sums = plan.sums(emptyLanes: emptyLanes)
        let made = Additions(
            emptyLanes: emptyLanes, sums: sums,
            program: plan.total(sums, on: plan.hosts[links.rank]).map { SumProgram($0) })
        additions = made
        return made
    }
}
