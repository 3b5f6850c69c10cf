internal import Dispatch
internal import Synchronization

/// What is to be learned of each sample.
package enum SampleLabels: Equatable, Sendable {
    case none
    case classes([Int32])
    case targets([Float])
}

/// All samples of a dataset as ids, one after another without gaps.
package struct TokenizedDataset: Sendable {
    package private(set) var ids: [Int32] = []
    /// 0 or 1 for each id; nil when there are no pairs, where all are 0.
    package private(set) var types: [UInt8]?
    /// Where each sample begins in `ids`; one more than there are samples.
    package private(set) var offsets: [Int] = [0]
    package let labels: SampleLabels
    package private(set) var truncatedCount = 0

    package var count: Int { offsets.count - 1 }
    package var tokenCount: Int { ids.count }

    /// Tokenizes all rows on `threads` threads; the result does not depend on their number.
    package init(_ dataset: Dataset, tokenizer: WordPieceTokenizer, maxLength: Int, labels: SampleLabels, threads: Int) {
        self.labels = labels
        switch labels {
        case .none: break
        case .classes(let values): precondition(values.count == dataset.count, "\(values.count) labels for \(dataset.count) samples")
        case .targets(let values): precondition(values.count == dataset.count, "\(values.count) targets for \(dataset.count) samples")
        }
        let shares = Self.shares(of: dataset.count, among: max(1, threads))
        let parts = Mutex([Part?](repeating: nil, count: shares.count))
        DispatchQueue.concurrentPerform(iterations: shares.count) { share in
            let part = Part(dataset, shares[share], tokenizer, maxLength)
            parts.withLock { $0[share] = part }
        }
        if dataset.pairs != nil { types = [] }
        offsets.reserveCapacity(dataset.count + 1)
        for part in parts.withLock({ $0 }).compactMap({ $0 }) { append(part) }
    }

    package func length(of sample: Int) -> Int { offsets[sample + 1] - offsets[sample] }

    package func range(of sample: Int) -> Range<Int> { offsets[sample]..<offsets[sample + 1] }

    /// The number of ids of each sample, counted anew at each call.
    package var lengths: [Int32] { (0..<count).map { Int32(length(of: $0)) } }

    package var longest: Int { (0..<count).reduce(0) { max($0, length(of: $1)) } }
    package var meanLength: Double { count == 0 ? 0 : Double(tokenCount) / Double(count) }

    private mutating func append(_ part: Part) {
        let base = ids.count
        ids.append(contentsOf: part.ids)
        types?.append(contentsOf: part.types)
        for end in part.ends { offsets.append(base + end) }
        truncatedCount += part.truncatedCount
    }

    private static func shares(of count: Int, among threads: Int) -> [Range<Int>] {
        (0..<threads).map { count * $0 / threads..<count * ($0 + 1) / threads }
    }

    /// The rows that one thread tokenizes.
    private struct Part {
        var ids: [Int32] = []
        var types: [UInt8] = []
        var ends: [Int] = []
        var truncatedCount = 0

        init(_ dataset: Dataset, _ rows: Range<Int>, _ tokenizer: WordPieceTokenizer, _ maxLength: Int) {
            var scratch = WordPieceTokenizer.Scratch(tokenizer)
            ends.reserveCapacity(rows.count)
            for row in rows {
                let pair = dataset.pairs?[row]
                let shape = scratch.append(dataset.texts[row], pair: pair, maxLength: maxLength, to: &ids)
                if pair != nil { types.append(contentsOf: shape.types) }
                ends.append(ids.count)
                if shape.truncated { truncatedCount += 1 }
            }
        }
    }
}
