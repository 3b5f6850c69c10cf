internal import Transport

extension ExchangeLinks {
    /// Every rank's value, by rank; all ranks call it, including those without lanes.
    ///
    /// For small values: loss sums, digests, hashes. The caller sums doubles itself, in the order of ranks or lanes.
    /// - Throws: ``ExchangeError``; the generation is over.
    /// - Complexity: 1 hop; (N - 1) times the value's bytes.
    package func allGather(_ value: [UInt8], step: UInt64, bucket: UInt32, deadline: ContinuousClock.Instant)
        throws(ExchangeError) -> [[UInt8]]
    {
        let id = ExchangeID(step: step, bucket: bucket)
        var values = [[UInt8]?](repeating: nil, count: worldSize)
        values[rank] = value
        for distance in 1..<max(worldSize, 1) {
            let peer = (rank + distance) % worldSize
            try unsafe send(.value, id, count: value.count, payload: value.span.bytes, to: peer, deadline: deadline)
        }
        while values.contains(where: { $0 == nil }) {
            let frame = try receive([.value], id, from: values.indices.filter { values[$0] == nil }, deadline: deadline)
            let sender = Int(frame.header.sender)
            guard values.indices.contains(sender), values[sender] == nil else {
                throw .unexpected(rank: sender, found: "a second value", needed: "one from each of \(worldSize) ranks")
            }
            values[sender] = frame.withPayload { bytes in unsafe bytes.withUnsafeBytes { unsafe Array($0) } }
        }
        return values.compactMap { $0 }
    }
}
