package import BERT

/// Digest of which samples a lane computed, at which positions.
package enum SampleDigest {
    /// Of the samples in their order in the lane: each one's row in its file, and its position in the global batch.
    package static func of(_ samples: some Sequence<(sample: Int, position: UInt32)>) -> UInt64 {
        // FNV-1a over both numbers of each sample.
        var digest: UInt64 = 0xCBF2_9CE4_8422_2325
        for (sample, position) in samples {
            for number in [UInt64(sample), UInt64(position)] {
                digest = (digest ^ number) &* 0x100_0000_01B3
                digest ^= digest >> 29
            }
        }
        return digest
    }

    /// The digest of a lane as planned.
    package static func of(_ lane: [[PlannedSample]], source: [[PlannedSample]] = []) -> UInt64 {
        of(
            lane.joined().map { (number(Int($0.sample), .target), $0.position) }
                + source.joined().map { (number(Int($0.sample), .source), $0.position) })
    }

    /// The digest of a lane as computed.
    package static func of(_ batches: [PackedBatch]) -> UInt64 {
        of(
            batches.flatMap { batch in
                zip(batch.samples, batch.batchPositions).map { (sample: number($0, batch.stream), position: $1) }
            })
    }

    /// Distinguishes samples of the two tasks.
    private static func number(_ sample: Int, _ stream: TaskStream) -> Int { sample | stream.rawValue << 40 }
}
