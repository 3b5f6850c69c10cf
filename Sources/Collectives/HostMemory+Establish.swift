package import Reduction

/// A plan and the memory that goes with it.
package struct EstablishedMemory: Sendable {
    package let plan: ExchangePlan
    package let memory: HostMemory
    /// Why this rank cannot share memory, if so.
    package let failure: SharedMemoryError?
}

/// Once per process.
private let looksForAbandoned: Void = SharedMemorySegment.removeAbandoned()

extension HostMemory {
    /// Creates this rank's memory and maps that of the host's other ranks, for a new generation.
    ///
    /// Every rank calls it. If one rank of a host cannot share, every rank of that host becomes a host by itself, and
    /// all ranks of the world are told: the plan that comes back is the same everywhere.
    ///
    /// - Parameters:
    ///   - plan: with hosts as reported; ranks of one host that cannot map each other's memory are detected.
    ///   - generator: source of the segment's name.
    /// - Throws: ``ExchangeError``; no segment is left behind.
    /// - Complexity: 2 hops of small values, and 2 more if a host cannot share.
    package static func establish(
        _ plan: ExchangePlan, links: ExchangeLinks, step: UInt64, bucket: UInt32, deadline: ContinuousClock.Instant,
        generator: inout some RandomNumberGenerator
    ) throws(ExchangeError) -> EstablishedMemory {
        let rank = links.rank
        let ranks = plan.members[plan.hosts[rank]]
        var failure: SharedMemoryError?
        var own: SharedMemorySegment?
        if ranks.count > 1 {
            _ = looksForAbandoned
            do {
                own = try SharedMemorySegment(
                    creating: SharedMemorySegment.privateName(using: &generator), count: plan.memoryElements(of: rank))
            } catch { failure = error }
        }
        defer { own?.unlink() }

        func gather(_ value: [UInt8], _ hop: UInt32) throws(ExchangeError) -> [[UInt8]] {
            try links.allGather(value, step: step, bucket: bucket + hop, deadline: deadline)
        }
        let names = try gather(Array((own?.name ?? "").utf8), 0).map { String(decoding: $0, as: UTF8.self) }
        var regions = [Region?](repeating: nil, count: plan.worldSize)
        if let own {
            regions[rank] = plan.region(of: rank, in: own.view)
            for peer in ranks where peer != rank && failure == nil {
                do {
                    let segment = try SharedMemorySegment(reading: names[peer], count: plan.memoryElements(of: peer))
                    regions[peer] = plan.region(of: peer, in: segment.view)
                } catch { failure = error }
            }
        }
        let shared = try gather([failure == nil ? 1 : 0], 1).map { $0 == [1] }
        let splits = plan.members.map { members in members.contains { !shared[$0] } }
        guard splits.contains(true) else {
            if ranks.count == 1 {
                return EstablishedMemory(plan: plan, memory: HostMemory(of: rank, in: plan), failure: nil)
            }
            return EstablishedMemory(plan: plan, memory: HostMemory(regions: regions, isShared: true), failure: nil)
        }
        let hosts = plan.hosts.enumerated().map { rank, host in splits[host] ? plan.members.count + rank : host }
        let next = try establish(
            plan.dividing(into: hosts), links: links, step: step, bucket: bucket + 2, deadline: deadline,
            generator: &generator)
        return EstablishedMemory(plan: next.plan, memory: next.memory, failure: failure ?? next.failure)
    }
}
