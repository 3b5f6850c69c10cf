package import BERT

/// A small model with what the reference implementation computed for one padded batch.
package struct ReferenceCase {
    package let name: String
    package let shape: BERTShape
    package let head: Head
    /// Adapters, where they are trained and nothing else of the encoder is.
    package var lora: LoRA?
    package let optimizer: OptimizerSettings
    package let schedule: LearningRateSchedule
    package let steps: Int
    /// Weights by Hugging Face name.
    package let weights: (String) throws -> [Float]
    /// Reference tensors by name: hidden.K, logits, loss, grad.NAME, after.NAME.
    package let reference: (String) throws -> [Float]
    /// (B, L) row after row.
    package let inputIds: [Int64]
    package let attentionMask: [Int64]
    package let tokenTypes: [Int64]
    package let sentences: Int
    package let width: Int
    package let labels: Labels

    package enum Labels {
        case classes([Int64])
        case values([Float])
        /// (B, L); -100 is not asked for.
        case words([Int64])
    }

    package init(
        name: String, shape: BERTShape, head: Head, optimizer: OptimizerSettings, schedule: LearningRateSchedule, steps: Int,
        weights: @escaping (String) throws -> [Float], reference: @escaping (String) throws -> [Float], inputIds: [Int64],
        attentionMask: [Int64], tokenTypes: [Int64], sentences: Int, width: Int, labels: Labels
    ) {
        self.name = name
        self.shape = shape
        self.head = head
        self.optimizer = optimizer
        self.schedule = schedule
        self.steps = steps
        self.weights = weights
        self.reference = reference
        self.inputIds = inputIds
        self.attentionMask = attentionMask
        self.tokenTypes = tokenTypes
        self.sentences = sentences
        self.width = width
        self.labels = labels
    }

    /// The tokens of one padded row, without the padding.
    func length(_ sentence: Int) -> Int { attentionMask[(sentence * width)..<((sentence + 1) * width)].reduce(0) { $0 + Int($1) } }

    /// The chosen sentences as a packed batch with their labels.
    func packed(_ chosen: [Int]) -> PackedBatch {
        var batch = PackedBatch()
        var (rows, words): ([Int32], [Int32]) = ([], [])
        for sentence in chosen {
            let range = (sentence * width)..<(sentence * width + length(sentence))
            if case .words(let labels) = labels {
                for place in range where labels[place] >= 0 {
                    rows.append(Int32(batch.tokenCount + place - range.lowerBound))
                    words.append(Int32(labels[place]))
                }
            }
            batch.append(
                ids: inputIds[range].map(Int32.init), types: tokenTypes[range].map { UInt8($0) }, position: sentence, sample: sentence)
        }
        switch labels {
        case .classes(let classes): batch.targets = .classes(chosen.map { Int32(classes[$0]) })
        case .values(let values): batch.targets = .values(chosen.map { values[$0] })
        case .words: batch.targets = .words(rows: rows, ids: words)
        }
        return batch
    }

    /// What the loss is a mean over: samples, or words asked for.
    var normalizer: Int {
        if case .words(let labels) = labels { return labels.count { $0 >= 0 } }
        return sentences
    }
}
