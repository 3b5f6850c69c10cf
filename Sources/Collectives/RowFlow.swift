internal import Tensors
internal import Transport

/// Some rows of one block sum, to be sent to one rank.
struct RowSlice {
    /// Index of the block among the sender's.
    let block: Int
    let rows: SparseRows
    /// Indices in `rows`, ascending.
    let places: [Int]

    /// A copy of the slice's rows.
    var copy: SparseRows {
        let result = SparseRows(ids: places.map { rows.ids[$0] }, width: rows.width)
        for (target, place) in places.enumerated() { result.row(target).copy(from: rows.row(place)) }
        return result
    }
}

/// Moves rows between ranks in rounds: a frame to each receiver, then one from each sender that has more.
///
/// A frame of round r is sent once the rounds before are received, which bounds the bytes in a link for any number of
/// rows.
struct RowFlow {
    let links: ExchangeLinks
    let id: ExchangeID
    let width: Int
    /// Number of rows of their table.
    let tableRows: Int
    let frameElements: Int
    let deadline: ContinuousClock.Instant

    /// Rows of one block in one frame.
    private struct Outgoing {
        let block: Int
        let rows: SparseRows
        let places: ArraySlice<Int>
    }

    /// Rows received so far of one block.
    private struct Incoming {
        var ids: [Int32] = []
        var frames: [(frame: any ReceivedFrame, rows: Int)] = []
    }

    /// Sends `slices` by receiver and returns what `senders` sent: by sender, by block; nil for a block without rows.
    func exchange(
        _ slices: [Int: [RowSlice]], from senders: [Int], more: ExchangeKind, last: ExchangeKind, blocks: (Int) -> Int
    ) throws(ExchangeError) -> [Int: [SparseRows?]] {
        let outgoing = slices.mapValues(frames)
        var incoming = Dictionary(
            uniqueKeysWithValues: senders.map { ($0, [Incoming](repeating: Incoming(), count: blocks($0))) })
        var open = Set(senders)
        var taken: [Int: Int] = [:]
        var round = 0
        let rounds = outgoing.values.map(\.count).max() ?? 0
        while round < rounds || !open.isEmpty {
            for (peer, frames) in outgoing.sorted(by: { $0.key < $1.key }) where round < frames.count {
                try send(frames[round], round == frames.count - 1 ? last : more, to: peer)
            }
            while true {
                let late = open.filter { taken[$0, default: 0] <= round }
                if late.isEmpty { break }
                let frame = try links.receive([more, last], id, from: late, deadline: deadline)
                let sender = Int(frame.header.sender)
                // Only a last frame may be empty: a sender of others would never end.
                guard open.contains(sender), frame.header.count > 0 || frame.header.kind == last.rawValue,
                    var rows = incoming.removeValue(forKey: sender)
                else { throw unexpected(frame, open.contains(sender) ? "at least one row" : "no more rows") }
                try take(frame, &rows)
                incoming[sender] = rows
                if frame.header.kind == last.rawValue { open.remove(sender) }
                taken[sender, default: 0] += 1
            }
            round += 1
        }
        return incoming.mapValues { $0.map(assemble) }
    }

    /// Splits slices into frames; at least one, so that the receiver sees the end.
    private func frames(_ slices: [RowSlice]) -> [Outgoing] {
        let most = max(1, frameElements / (width + 1))
        let frames = slices.flatMap { slice in
            stride(from: 0, to: slice.places.count, by: most).map {
                Outgoing(
                    block: slice.block, rows: slice.rows, places: slice.places[$0..<min($0 + most, slice.places.count)])
            }
        }
        return frames.isEmpty ? [Outgoing(block: 0, rows: SparseRows(ids: [], width: width), places: [])] : frames
    }

    private func send(_ frame: Outgoing, _ kind: ExchangeKind, to peer: Int) throws(ExchangeError) {
        let count = frame.places.count
        let rowBytes = width * MemoryLayout<Float>.stride
        let bytes =
            count == 0
            ? []
            : unsafe [UInt8](unsafeUninitializedCapacity: count * (4 + rowBytes)) { bytes, filled in
                for (index, place) in frame.places.enumerated() {
                    unsafe UnsafeMutableRawBufferPointer(bytes).storeBytes(
                        of: frame.rows.ids[place].littleEndian, toByteOffset: 4 * index, as: Int32.self)
                    unsafe UnsafeMutableRawPointer(bytes.baseAddress!).advanced(by: 4 * count + index * rowBytes)
                        .copyMemory(from: frame.rows.row(place).base, byteCount: rowBytes)
                }
                filled = count * (4 + rowBytes)
            }
        try unsafe links.send(
            kind, id, offset: frame.block, count: count, payload: bytes.span.bytes, to: peer, deadline: deadline)
    }

    /// Checks a frame and records its rows.
    private func take(_ frame: any ReceivedFrame, _ blocks: inout [Incoming]) throws(ExchangeError) {
        let header = frame.header
        let bytes = frame.withPayload { $0.byteCount }
        let (size, overflow) = header.count.multipliedReportingOverflow(
            by: UInt64(4 + width * MemoryLayout<Float>.stride))
        guard !overflow, size == UInt64(bytes), header.offset < UInt64(blocks.count) else {
            throw unexpected(frame, "a multiple of rows of \(width) for one of \(blocks.count) blocks")
        }
        let count = Int(header.count)
        let ids = frame.withPayload { bytes in
            (0..<count).map {
                Int32(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 4 * $0, as: Int32.self))
            }
        }
        let block = Int(header.offset)
        var previous = blocks[block].ids.last ?? -1
        for id in ids {
            guard id > previous, id < tableRows else {
                throw unexpected(frame, "ascending rows below \(tableRows), got \(id) after \(previous)")
            }
            previous = id
        }
        blocks[block].ids += ids
        blocks[block].frames.append((frame, count))
    }

    private func assemble(_ incoming: Incoming) -> SparseRows? {
        guard !incoming.ids.isEmpty else { return nil }
        let rows = SparseRows(ids: incoming.ids, width: width)
        var place = 0
        for (frame, count) in incoming.frames where count > 0 {
            let target = rows.row(place)
            frame.withPayload { bytes in
                unsafe bytes.withUnsafeBytes { bytes in
                    unsafe UnsafeMutableRawPointer(target.base).copyMemory(
                        from: bytes.baseAddress! + 4 * count, byteCount: count * width * MemoryLayout<Float>.stride)
                }
            }
            place += count
        }
        return rows
    }

    private func unexpected(_ frame: any ReceivedFrame, _ needed: String) -> ExchangeError {
        let header = frame.header
        return .unexpected(
            rank: Int(header.sender),
            found: "\(header.count) rows of block \(header.offset) in \(frame.withPayload { $0.byteCount }) bytes",
            needed: needed)
    }
}
