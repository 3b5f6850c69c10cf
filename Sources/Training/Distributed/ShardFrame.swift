package import BERT
package import TextData

/// The samples of one lane and one global batch, or of one evaluation chunk, as they travel.
///
/// 32-bit little-endian words: for each sample its number, position, length and label, then its token ids; after all of
/// them the token types, a byte each, where the run has them.
package enum ShardFrame {
    /// Frames that the coordinator feeds; kinds below belong to the exchange.
    package enum Kind: UInt8, Sendable {
        /// Samples of a step: bucket is the lane, offset the global batch.
        case lane = 32
        /// Samples of an evaluation: bucket is the chunk.
        case chunk = 33
        /// Weights, moments and touched rows of a state.
        case parameters = 34
        case first = 35
        case second = 36
        case touched = 37
    }

    /// - Parameter withTypes: whether the run's frames have token types; they are 0 where the dataset has none.
    package static func encode(_ samples: [PlannedSample], of dataset: TokenizedDataset, withTypes: Bool) -> [UInt8] {
        var words: [Int32] = []
        var types: [UInt8] = []
        for planned in samples {
            let sample = Int(planned.sample)
            let range = dataset.range(of: sample)
            words.append(contentsOf: [planned.sample, Int32(bitPattern: planned.position), Int32(range.count), label(sample, dataset)])
            words.append(contentsOf: dataset.ids[range])
            if withTypes { types.append(contentsOf: dataset.types?[range] ?? [UInt8](repeating: 0, count: range.count)[...]) }
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(words.count * 4 + types.count)
        for word in words {
            let bits = UInt32(bitPattern: word)
            bytes.append(UInt8(truncatingIfNeeded: bits))
            bytes.append(UInt8(truncatingIfNeeded: bits >> 8))
            bytes.append(UInt8(truncatingIfNeeded: bits >> 16))
            bytes.append(UInt8(truncatingIfNeeded: bits >> 24))
        }
        return bytes + types
    }

    private static func label(_ sample: Int, _ dataset: TokenizedDataset) -> Int32 {
        switch dataset.labels {
        case .none: 0
        case .classes(let classes): classes[sample]
        case .targets(let targets): Int32(bitPattern: targets[sample].bitPattern)
        }
    }

    /// Reads what ``encode`` wrote.
    /// - Parameter count: samples that the frame's header announces.
    /// - Returns: nil where the bytes are no such frame, or name what the model does not have.
    package static func decode(_ bytes: [UInt8], count: UInt64, run: RunDescription) -> PackedBatch? {
        var batch = PackedBatch()
        var place = 0
        func word() -> Int32? {
            guard place + 4 <= bytes.count else { return nil }
            defer { place += 4 }
            return Int32(
                bitPattern: UInt32(bytes[place]) | UInt32(bytes[place + 1]) << 8 | UInt32(bytes[place + 2]) << 16 | UInt32(bytes[place + 3]) << 24)
        }
        var (classes, values): ([Int32], [Float]) = ([], [])
        for _ in 0..<count {
            guard let sample = word(), let position = word(), let length = word(), let label = word(), sample >= 0, length > 0,
                Int(length) <= run.shape.positions, place + 4 * Int(length) <= bytes.count
            else { return nil }
            var ids: [Int32] = []
            ids.reserveCapacity(Int(length))
            for _ in 0..<length {
                guard let id = word(), id >= 0, Int(id) < run.shape.vocabulary else { return nil }
                ids.append(id)
            }
            batch.append(ids: ids, types: nil as [UInt8]?, position: Int(UInt32(bitPattern: position)), sample: Int(sample))
            classes.append(label)
            values.append(Float(bitPattern: UInt32(bitPattern: label)))
        }
        if run.hasTypes {
            guard place + batch.tokenCount == bytes.count, bytes[place...].allSatisfy({ Int($0) < run.shape.types }) else { return nil }
            batch.types = Array(bytes[place...])
        } else if place != bytes.count {
            return nil
        }
        switch run.head {
        case .classification(let labels):
            guard classes.allSatisfy({ $0 >= 0 && Int($0) < labels }) else { return nil }
            batch.targets = .classes(classes)
        case .regression: batch.targets = .values(values)
        case .maskedLanguageModel: return nil
        }
        return batch
    }
}

/// Digest of which samples a lane computed, at which positions.
package enum SampleDigest {
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

    /// Of a lane as it is planned.
    package static func of(_ lane: [[PlannedSample]]) -> UInt64 { of(lane.joined().map { (Int($0.sample), $0.position) }) }

    /// Of a lane as it was computed.
    package static func of(_ batches: [PackedBatch]) -> UInt64 {
        of(batches.flatMap { Array(zip($0.samples, $0.batchPositions)) }.map { (sample: $0.0, position: $0.1) })
    }
}
