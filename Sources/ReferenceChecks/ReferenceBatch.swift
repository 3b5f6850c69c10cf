package import BERT
internal import Kernels

/// One padded batch of a reference case, with its labels.
package struct ReferenceBatch: Sendable {
    package let stream: TaskStream
    /// (B, L) row by row.
    package let inputIds: [Int64]
    package let attentionMask: [Int64]
    package let tokenTypes: [Int64]
    package let sentences: Int
    package let width: Int
    package let labels: Labels

    /// The right answers of B samples: one for each, C numbers, or one for each of L tokens.
    package enum Labels: Sendable {
        case classes([Int64])
        /// (B, C).
        case values([Float])
        /// (B, L); -100 has no answer.
        case tokens([Int64])
    }

    /// The tokens of one padded row, without the padding.
    private func length(_ sentence: Int) -> Int {
        attentionMask[(sentence * width)..<((sentence + 1) * width)].reduce(0) { $0 + Int($1) }
    }

    /// The chosen sentences as a packed batch with their labels.
    func packed(_ chosen: [Int]) -> PackedBatch {
        var batch = PackedBatch()
        batch.stream = stream
        var (rows, words): ([Int32], [Int32]) = ([], [])
        for sentence in chosen {
            let range = (sentence * width)..<(sentence * width + length(sentence))
            if case .tokens(let labels) = labels {
                for place in range where labels[place] >= 0 {
                    rows.append(Int32(batch.tokenCount + place - range.lowerBound))
                    words.append(Int32(labels[place]))
                }
            }
            batch.append(
                ids: inputIds[range].map(Int32.init), types: tokenTypes[range].map { UInt8($0) }, position: sentence,
                sample: sentence)
        }
        switch labels {
        case .classes(let classes): batch.targets = .classes(chosen.map { Int32(classes[$0]) })
        case .values(let values):
            let count = values.count / sentences
            batch.targets = .values(chosen.flatMap { values[($0 * count)..<(($0 + 1) * count)] })
        case .tokens: batch.targets = .tokens(rows: rows, classes: words)
        }
        return batch
    }

    /// The normalizer of the loss.
    func normalizer(_ loss: LossOptions) -> Double {
        switch labels {
        case .classes(let classes): classes.reduce(0) { $0 + loss.weight(of: Int($1)) }
        case .values(let values): Double(values.count)
        case .tokens(let labels): labels.filter { $0 >= 0 }.reduce(0) { $0 + loss.weight(of: Int($1)) }
        }
    }
}
