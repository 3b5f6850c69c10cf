package import Kernels
package import TextData

/// The contribution of each sample to the normalizer of its global batch's loss, fixed before the batch is computed.
package enum SampleWeights: Sendable, Equatable {
    /// The same for each sample: its number of outputs.
    case same(Double)
    /// (samples) the weight of its class, or of all its labelled words.
    case each([Double])
    /// The words that a masked-LM task hides.
    case masked(TokenizedDataset, WordMasking)

    package init(_ dataset: TokenizedDataset, _ loss: LossOptions) {
        switch dataset.labels {
        case .none: self = .same(1)
        case .values(_, let width): self = .same(Double(width))
        case .classes(let classes):
            self = loss.classWeights.isEmpty ? .same(1) : .each(classes.map { loss.weight(of: Int($0)) })
        case .tokens(let labels):
            self = .each(
                (0..<dataset.count).map {
                    labels.classes[labels.range(of: $0)].reduce(0) { $0 + loss.weight(of: Int($1)) }
                })
        case .masked(let masking): self = .masked(dataset, masking)
        }
    }

    /// - Parameters:
    ///   - step: optimizer step from 1, 0 in an evaluation.
    ///   - position: of the sample in the step's global batches.
    package func weight(of sample: Int, step: Int, position: UInt32) -> Double {
        switch self {
        case .same(let weight): return weight
        case .each(let weights): return weights[sample]
        case .masked(let dataset, let masking):
            var count = 0
            masking.forEachAsked(dataset.ids[dataset.range(of: sample)], step: step, position: position) { _, _ in
                count += 1
            }
            return Double(count)
        }
    }
}
