internal import Reduction
internal import Tensors
internal import Transport

/// One exchange of an ``AllReduce`` between its two signals.
final class AllReduceRun {
    private let plan: ExchangePlan
    private let memory: HostMemory
    private let sums: ExchangePlan.Sums
    /// The owner's additions: leaves are its host's blocks, then the roots of the other hosts in order.
    private let program: SumProgram
    private let links: ExchangeLinks
    private let id: ExchangeID
    private let deadline: ContinuousClock.Instant
    private let scratch: FloatBuffer

    private let rank: Int
    private let host: Int
    /// The blocks of this host, leaves of the additions within the host.
    private let held: [FloatView]
    private let results: FloatView
    private let served: [ExchangePlan.Served]
    private let ownFrames: [Range<Int>]
    /// Partial sums of the own range from other hosts: by frame, then by index among their roots.
    private var arrived: [[(any ReceivedFrame)?]]
    private var sources: [Int: Source] = [:]
    /// Frames of the total not yet received, by the owner that sends them.
    private var totals: [Int: ArraySlice<Range<Int>>] = [:]
    private var framesAdded = 0

    /// The partial sums that a server of another host sends for the own range: each frame's roots, frame by frame.
    private struct Source {
        let roots: Range<Int>
        var next = 0
    }

    init(
        plan: ExchangePlan, memory: HostMemory, sums: ExchangePlan.Sums, program: SumProgram, links: ExchangeLinks,
        id: ExchangeID,
        deadline: ContinuousClock.Instant
    ) {
        self.plan = plan
        self.memory = memory
        self.sums = sums
        self.program = program
        self.links = links
        self.id = id
        self.deadline = deadline
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
        served = plan.served(by: rank)
        ownFrames = plan.frames(of: plan.owned[rank])
        var roots = 0
        for other in sums.hosts.indices where other != host {
            let count = sums.hosts[other].roots.count
            if count > 0 && !ownFrames.isEmpty {
                sources[plan.server(of: rank, on: other)] = Source(roots: roots..<(roots + count))
            }
            roots += count
        }
        arrived = ownFrames.map { _ in [(any ReceivedFrame)?](repeating: nil, count: roots) }
        for place in served where place.owner != rank {
            totals[place.owner] = plan.frames(of: plan.owned[place.owner])[...]
        }
        scratch = FloatBuffer(scratch: max(program.scratchElements, plan.frameElements + program.scratchElements))
    }

    /// The location of the complete sum.
    var result: ReducedGradient {
        ReducedGradient(
            parts: plan.owned.indices.compactMap { owner in
                let range = plan.owned[owner]
                guard !range.isEmpty else { return nil }
                if owner == rank, let only = ownBlock { return .init(range: range, values: only[range]) }
                let server = plan.server(of: owner, on: host)
                guard let region = memory.regions[server],
                    let place = plan.served(by: server).first(where: { $0.owner == owner })
                else {
                    preconditionFailure("rank \(server) serves \(range) and shares no memory with rank \(rank)")
                }
                return .init(range: range, values: region.results.part(from: place.start, count: range.count))
            })
    }

    /// Bytes of other ranks of this host that this rank reads: their block sums in its range, and their parts of the
    /// result.
    var sharedBytes: Int {
        let foreign = sums.hosts[host].held.count { $0.rank != rank }
        let served = plan.owned.indices.filter { plan.server(of: $0, on: host) != rank }.reduce(0) {
            $0 + plan.owned[$1].count
        }
        return MemoryLayout<Float>.stride * (plan.owned[rank].count * foreign + served)
    }

    /// The own block if it already is the sum and no other rank of this host reads it.
    private var ownBlock: FloatView? {
        guard plan.members[host].count == 1, let leaf = program.onlyLeaf, leaf < held.count else { return nil }
        return held[leaf]
    }

    /// The memory for `range` of the sum owned by `owner`.
    private func kept(_ range: Range<Int>, of owner: Int) -> FloatView {
        guard let place = served.first(where: { $0.owner == owner }) else {
            preconditionFailure("rank \(rank) does not serve \(range)")
        }
        return results.part(from: place.start + range.lowerBound - plan.owned[owner].lowerBound, count: range.count)
    }

    /// Adds the own range if all its summands are on this host.
    func addOwnRange(_ parallel: AllReduce.Parallel) {
        guard ownBlock == nil else { return }
        let (frames, held, program) = (ownFrames, held, program)
        guard let start = frames.first?.lowerBound else { return }
        let target = kept(plan.owned[rank], of: rank)
        parallel(frames.count) { place in
            let frame = frames[place]
            let part = target.part(from: frame.lowerBound - start, count: frame.count)
            unsafe withScratch(program.scratchElements) { scratch in
                unsafe program.evaluate(
                    { unsafe UnsafeRawPointer(held[$0][frame].base) }, into: part.base, count: frame.count,
                    scratch: scratch)
            }
        }
    }

    /// Sends partial sums, adds the own range and collects the totals of the others, frame by frame.
    func exchangeFrames() throws(ExchangeError) {
        let roots = sums.hosts[host].roots.map { SumProgram($0.sum) }
        let away = served.filter { plan.hosts[$0.owner] != host }.map {
            ($0.owner, plan.frames(of: plan.owned[$0.owner]))
        }
        let rounds = roots.isEmpty ? 0 : away.map(\.1.count).max() ?? 0
        try addWhatIsComplete()
        for round in 0..<rounds {
            for (owner, frames) in away where round < frames.count {
                while frames.count - (totals[owner]?.count ?? 0) + AllReduce.window <= round { try takeFrame() }
                for root in roots { try sendPartialSum(root, frames[round], to: owner) }
            }
        }
        while framesAdded < ownFrames.count || totals.values.contains(where: { !$0.isEmpty }) { try takeFrame() }
    }

    private func sendPartialSum(_ root: SumProgram, _ range: Range<Int>, to owner: Int) throws(ExchangeError) {
        if let leaf = root.onlyLeaf {
            return try links.send(
                .partialSum, id, offset: range.lowerBound, lending: held[leaf][range], toEach: [owner],
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
                .partialSum, id, offset: range.lowerBound, count: range.count, payload: span.bytes, toEach: [owner],
                deadline: deadline)
        }
    }

    /// Receives one frame and performs the additions that it completes.
    private func takeFrame() throws(ExchangeError) {
        let missing = sources.filter {
            framesAdded < ownFrames.count && $0.value.next < ownFrames.count * $0.value.roots.count
        }.keys
        let expected = Set(missing).union(totals.filter { !$0.value.isEmpty }.keys)
        let frame = try links.receive([.partialSum, .total], id, from: expected, deadline: deadline)
        let sender = Int(frame.header.sender)
        if frame.header.kind == ExchangeKind.total.rawValue {
            guard let range = totals[sender]?.popFirst() else { throw unexpected(frame, "no total") }
            try check(frame, range)
            let target = kept(range, of: sender)
            frame.withPayload { bytes in
                unsafe bytes.withUnsafeBytes {
                    unsafe UnsafeMutableRawBufferPointer(start: target.base, count: $0.count).copyMemory(from: $0)
                }
            }
            return
        }
        guard let source = sources[sender], source.next < ownFrames.count * source.roots.count else {
            throw unexpected(frame, "no partial sum")
        }
        let (place, root) = source.next.quotientAndRemainder(dividingBy: source.roots.count)
        try check(frame, ownFrames[place])
        arrived[place][source.roots.lowerBound + root] = frame
        sources[sender]?.next += 1
        try addWhatIsComplete()
    }

    private func check(_ frame: any ReceivedFrame, _ range: Range<Int>) throws(ExchangeError) {
        let header = frame.header
        let bytes = frame.withPayload { $0.byteCount }
        guard header.offset == UInt64(range.lowerBound), header.count == UInt64(range.count),
            bytes == range.count * MemoryLayout<Float>.stride
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

    /// Adds own frames in order as far as their partial sums have arrived, and sends each total.
    private func addWhatIsComplete() throws(ExchangeError) {
        let others = plan.members.indices.filter { $0 != host }.map { plan.server(of: rank, on: $0) }
        while framesAdded < ownFrames.count, arrived[framesAdded].allSatisfy({ $0 != nil }) {
            let range = ownFrames[framesAdded]
            let total = ownBlock.map { $0[range] } ?? kept(range, of: rank)
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
