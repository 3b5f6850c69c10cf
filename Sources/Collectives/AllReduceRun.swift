internal import Reduction
internal import Tensors
internal import Transport

/// One exchange of an ``AllReduce``.
final class AllReduceRun {
    private let plan: ExchangePlan
    private let route: ExchangeRoute
    private let memory: HostMemory
    private let sums: ExchangePlan.Sums
    /// The owner's additions: leaves are its host's blocks, then the roots of the other hosts in order.
    private let program: SumProgram
    private let links: ExchangeLinks
    private let step: UInt64
    private let gate: BucketGate?
    private let limit: () -> ContinuousClock.Instant
    private var deadline: ContinuousClock.Instant
    private let scratch: FloatBuffer

    private let rank: Int
    private let host: Int
    /// The blocks of this host, leaves of the additions within the host.
    private let held: [FloatView]
    private let results: FloatView
    /// Buckets that all ranks of this host have published: their blocks may be read.
    private var opened = 0
    /// How many buckets each neighbour has published.
    private var published: [Int: Int]
    /// Partial sums of the own frames from other hosts: by frame, then by index among their roots.
    private var arrived: [[(any ReceivedFrame)?]]
    private var sources: [Int: Source] = [:]
    /// The totals that other owners send: by owner.
    private var totals: [Int: Totals] = [:]
    private var framesAdded = 0

    /// The partial sums that a server of another host sends for the own ranges: each frame's roots, frame by frame.
    private struct Source {
        let roots: Range<Int>
        var next = 0
    }

    private struct Totals {
        let frames: OwnedFrames
        var received = 0
    }

    init(
        plan: ExchangePlan, route: ExchangeRoute, memory: HostMemory, sums: ExchangePlan.Sums, program: SumProgram,
        links: ExchangeLinks, step: UInt64, gate: BucketGate?, limit: @escaping () -> ContinuousClock.Instant
    ) {
        self.plan = plan
        self.route = route
        self.memory = memory
        self.sums = sums
        self.program = program
        self.links = links
        self.step = step
        self.gate = gate
        self.limit = limit
        deadline = limit()
        rank = links.rank
        host = plan.hosts[links.rank]
        guard let region = memory.regions[rank] else { preconditionFailure("rank \(rank) has no memory of its own") }
        results = region.results
        held = sums.hosts[host].held.map { block in
            guard let region = memory.regions[block.rank] else {
                preconditionFailure("rank \(block.rank) shares no memory with rank \(links.rank)")
            }
            return region.blocks[block.place]
        }
        published = Dictionary(uniqueKeysWithValues: route.neighbours.map { ($0, 0) })
        var roots = 0
        for other in sums.hosts.indices where other != host {
            let count = sums.hosts[other].roots.count
            if count > 0 && route.own.count > 0 {
                sources[plan.server(of: rank, on: other)] = Source(roots: roots..<(roots + count))
            }
            roots += count
        }
        arrived = route.own.ranges.map { _ in [(any ReceivedFrame)?](repeating: nil, count: roots) }
        for (owner, frames) in route.away { totals[owner] = Totals(frames: frames) }
        scratch = FloatBuffer(scratch: max(program.scratchElements, plan.frameElements + program.scratchElements))
    }

    // MARK: Result

    /// The location of the complete sum.
    var result: ReducedGradient {
        ReducedGradient(
            parts: route.results.map { range, owner, server, start in
                if owner == rank, let only = ownBlock { return .init(range: range, values: only[range]) }
                guard let region = memory.regions[server] else {
                    preconditionFailure("rank \(server) serves \(range) and shares no memory with rank \(rank)")
                }
                return .init(range: range, values: region.results.part(from: start, count: range.count))
            })
    }

    /// Bytes of other ranks of this host that this rank reads: their block sums in its ranges, and their parts of the
    /// result.
    var sharedBytes: Int {
        let foreign = sums.hosts[host].held.count { $0.rank != rank }
        let own = route.own.ranges.reduce(0) { $0 + $1.count }
        let served = route.results.reduce(0) { $0 + ($1.server == rank ? 0 : $1.range.count) }
        return MemoryLayout<Float>.stride * (own * foreign + served)
    }

    /// The own block if it already is the sum and no other rank of this host reads it.
    private var ownBlock: FloatView? {
        guard plan.members[host].count == 1, let leaf = program.onlyLeaf, leaf < held.count else { return nil }
        return held[leaf]
    }

    /// The memory for a frame of the sum.
    private func kept(_ frame: Int, of frames: OwnedFrames) -> FloatView {
        results.part(from: frames.starts[frame], count: frames.ranges[frame].count)
    }

    // MARK: One host

    /// Adds the own range; all its summands are on this host.
    func addOnHost(_ parallel: AllReduce.Parallel) throws(ExchangeError) {
        for bucket in plan.buckets.indices { try open(bucket) }
        guard ownBlock == nil else { return }
        let (frames, held, program, results) = (route.own, held, program, results)
        parallel(frames.count) { place in
            let frame = frames.ranges[place]
            let part = results.part(from: frames.starts[place], count: frame.count)
            unsafe withScratch(program.scratchElements) { scratch in
                unsafe program.evaluate(
                    { unsafe UnsafeRawPointer(held[$0][frame].base) }, into: part.base, count: frame.count,
                    scratch: scratch)
            }
        }
    }

    // MARK: Several hosts

    /// Sends partial sums, adds the own ranges and collects the totals of the others, frame by frame.
    func exchangeFrames() throws(ExchangeError) {
        let roots = sums.hosts[host].roots.map { SumProgram($0.sum) }
        /// By owner, the first frame that was not sent.
        var next = [Int](repeating: 0, count: route.away.count)
        for bucket in plan.buckets.indices {
            try open(bucket)
            try addWhatIsComplete()
            var hasMore = !roots.isEmpty
            while hasMore {
                hasMore = false
                for (place, (owner, frames)) in route.away.enumerated() {
                    let frame = next[place]
                    guard frame < frames.count, frames.buckets[frame] == bucket else { continue }
                    while (totals[owner]?.received ?? 0) + AllReduce.window <= frame { try takeFrame() }
                    for root in roots { try sendPartialSum(root, frames.ranges[frame], of: bucket, to: owner) }
                    next[place] += 1
                    hasMore = true
                }
            }
        }
        while isDue { try takeFrame() }
    }

    /// Publishes a bucket as soon as this rank's sums of it are complete, and waits until the neighbours have.
    ///
    /// Until a bucket is complete, frames of those before it are exchanged. Nothing is received before all neighbours
    /// have published the first one: they may still read the previous result.
    private func open(_ bucket: Int) throws(ExchangeError) {
        if let gate {
            while !gate.isOpen(bucket), isDue { try takeFrame() }
            try gate.waitUntilOpen(bucket)
        }
        deadline = limit()
        try links.signal(.published, id(bucket), to: route.neighbours, deadline: deadline)
        while published.values.contains(where: { $0 <= bucket }) { try takeFrame() }
        opened = bucket + 1
    }

    /// Ends the exchange on this host.
    func end() throws(ExchangeError) {
        let last = id(plan.buckets.count - 1)
        try links.signal(.reduced, last, to: route.neighbours, deadline: deadline)
        try links.await(.reduced, last, from: route.neighbours, deadline: deadline)
    }

    /// Whether a frame of the opened buckets is missing.
    private var isDue: Bool {
        func isDue(_ frames: OwnedFrames, _ done: Int) -> Bool { done < frames.count && frames.buckets[done] < opened }
        return isDue(route.own, framesAdded) || totals.values.contains { isDue($0.frames, $0.received) }
    }

    private func id(_ bucket: Int) -> ExchangeID { ExchangeID(step: step, bucket: UInt32(bucket)) }

    private func sendPartialSum(_ root: SumProgram, _ range: Range<Int>, of bucket: Int, to owner: Int)
        throws(ExchangeError)
    {
        if let leaf = root.onlyLeaf {
            return try links.send(
                .partialSum, id(bucket), offset: range.lowerBound, lending: held[leaf][range], toEach: [owner],
                deadline: deadline)
        }
        let payload = scratch.view.part(from: 0, count: range.count)
        let inner = FloatBuffer(scratch: root.scratchElements)
        unsafe root.evaluate(
            { unsafe UnsafeRawPointer(held[$0][range].base) }, into: payload.base, count: range.count,
            scratch: inner.view.base)
        // The next frame's sum is computed in the same memory.
        try payload.withSpan { (span) throws(ExchangeError) in
            try unsafe links.send(
                .partialSum, id(bucket), offset: range.lowerBound, count: range.count, payload: span.bytes,
                toEach: [owner], deadline: deadline)
        }
    }

    // MARK: Receiving

    /// The ranks whose frames are missing.
    private var awaited: [Int] {
        let neighbours = published.filter { $0.value < plan.buckets.count }.keys
        let servers = sources.filter { $0.value.next < route.own.count * $0.value.roots.count }.keys
        let owners = totals.filter { $0.value.received < $0.value.frames.count }.keys
        let all = Set(neighbours).union(servers).union(owners)
        // Until all neighbours have published, only they are waited for.
        let late = published.filter { $0.value <= opened }.keys
        return late.isEmpty || opened == plan.buckets.count ? all.sorted() : late.sorted()
    }

    /// Receives one frame and performs the additions that it completes.
    private func takeFrame() throws(ExchangeError) {
        let isOpen = opened > 0
        let frame = try links.receive(waitingFor: { awaited }, step: step, deadline: deadline) { kind, _ in
            kind == .published || isOpen && (kind == .partialSum || kind == .total)
        }
        let sender = Int(frame.header.sender)
        switch ExchangeKind(rawValue: frame.header.kind) {
        case .published: try takeSignal(frame, sender)
        case .total: try takeTotal(frame, sender)
        default: try takePartialSum(frame, sender)
        }
    }

    private func takeSignal(_ frame: any ReceivedFrame, _ sender: Int) throws(ExchangeError) {
        guard let count = published[sender], frame.header.bucket == UInt32(count) else {
            throw .unexpected(
                rank: sender, found: "the signal of bucket \(frame.header.bucket)",
                needed: published[sender].map { "that of bucket \($0)" } ?? "no signal")
        }
        published[sender] = count + 1
    }

    private func takeTotal(_ frame: any ReceivedFrame, _ sender: Int) throws(ExchangeError) {
        guard let known = totals[sender], known.received < known.frames.count else {
            throw unexpected(frame, "no total")
        }
        try check(frame, known.frames, known.received)
        let target = kept(known.received, of: known.frames)
        frame.withPayload { bytes in
            unsafe bytes.withUnsafeBytes {
                unsafe UnsafeMutableRawBufferPointer(start: target.base, count: $0.count).copyMemory(from: $0)
            }
        }
        totals[sender]?.received += 1
    }

    private func takePartialSum(_ frame: any ReceivedFrame, _ sender: Int) throws(ExchangeError) {
        guard let source = sources[sender], source.next < route.own.count * source.roots.count else {
            throw unexpected(frame, "no partial sum")
        }
        let (place, root) = source.next.quotientAndRemainder(dividingBy: source.roots.count)
        try check(frame, route.own, place)
        arrived[place][source.roots.lowerBound + root] = frame
        sources[sender]?.next += 1
        try addWhatIsComplete()
    }

    private func check(_ frame: any ReceivedFrame, _ frames: OwnedFrames, _ place: Int) throws(ExchangeError) {
        let (header, range) = (frame.header, frames.ranges[place])
        let bytes = frame.withPayload { $0.byteCount }
        guard header.bucket == UInt32(frames.buckets[place]), header.offset == UInt64(range.lowerBound),
            header.count == UInt64(range.count), bytes == range.count * MemoryLayout<Float>.stride
        else { throw unexpected(frame, "\(range.count) elements from \(range.lowerBound)") }
    }

    private func unexpected(_ frame: any ReceivedFrame, _ needed: String) -> ExchangeError {
        let header = frame.header
        let bytes = frame.withPayload { $0.byteCount }
        return .unexpected(
            rank: Int(header.sender),
            found: "\(header.count) elements from \(header.offset) in \(bytes) bytes of kind \(header.kind)",
            needed: needed)
    }

    /// Adds own frames in order as far as their summands are there, and sends each total.
    private func addWhatIsComplete() throws(ExchangeError) {
        let others = plan.members.indices.filter { $0 != host }.map { plan.server(of: rank, on: $0) }
        let frames = route.own
        while framesAdded < frames.count, frames.buckets[framesAdded] < opened,
            arrived[framesAdded].allSatisfy({ $0 != nil })
        {
            let range = frames.ranges[framesAdded]
            let total = ownBlock.map { $0[range] } ?? kept(framesAdded, of: frames)
            if ownBlock == nil {
                unsafe withPayloads(
                    arrived[framesAdded].compactMap { $0 }[...],
                    after: held.map { unsafe UnsafeRawPointer($0[range].base) }
                ) { leaves in
                    unsafe program.evaluate(
                        { unsafe leaves[$0] }, into: total.base, count: range.count, scratch: scratch.view.base)
                }
            }
            arrived[framesAdded] = []
            let id = id(frames.buckets[framesAdded])
            framesAdded += 1
            try links.send(.total, id, offset: range.lowerBound, lending: total, toEach: others, deadline: deadline)
        }
    }

    /// Lends the payloads of all `frames` at once, after the pointers already collected.
    private func withPayloads(
        _ frames: ArraySlice<any ReceivedFrame>, after pointers: [UnsafeRawPointer],
        _ body: ([UnsafeRawPointer]) -> Void
    ) {
        guard let frame = frames.first else { return unsafe body(pointers) }
        frame.withPayload { bytes in
            unsafe bytes.withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress else {
                    preconditionFailure("a frame without payload passed its check")
                }
                unsafe withPayloads(frames.dropFirst(), after: pointers + [base], body)
            }
        }
    }
}
