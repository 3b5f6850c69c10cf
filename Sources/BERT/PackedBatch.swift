/// Which of a run's tasks a batch belongs to.
package enum TaskStream: Int, Sendable, Codable {
    case target = 0
    case source = 1
}

/// Sentences one after another, without padding.
package struct PackedBatch: Sendable {
    package var stream = TaskStream.target
    /// (T) token ids.
    package var ids: [Int32] = []
    /// (T) place of each token in its sentence.
    package var positions: [Int32] = []
    /// (T) token types.
    package var types: [UInt8] = []
    /// (S + 1) first row of each sentence.
    package var offsets: [Int32] = [0]
    /// (S) position of each sentence in its global batch; names its dropout masks.
    package var batchPositions: [UInt32] = []
    /// (S) number of each sample in its dataset.
    package var samples: [Int] = []
    /// What the head should answer.
    package var targets: Targets
    /// (S, D) the encoder's output for each sentence, where it is known beforehand; then each sentence has one row.
    package var features: [Float] = []

    package enum Targets: Sendable, Equatable {
        case none
        /// (S) class numbers.
        case classes([Int32])
        /// (S, C) numbers; of a multi-label head 1 where the label is right, else 0.
        case values([Float])
        /// Rows that are asked for, ascending, and the class or word of each; -1 where it is not known.
        case tokens(rows: [Int32], classes: [Int32])
    }

    package init(targets: Targets = .none) { self.targets = targets }

    package var tokenCount: Int { ids.count }
    package var sentenceCount: Int { offsets.count - 1 }

    /// Makes room for so many tokens and sentences in all.
    package mutating func reserve(tokens: Int, sentences: Int) {
        ids.reserveCapacity(tokens)
        positions.reserveCapacity(tokens)
        types.reserveCapacity(tokens)
        offsets.reserveCapacity(sentences + 1)
        batchPositions.reserveCapacity(sentences)
        samples.reserveCapacity(sentences)
    }

    /// Appends one sentence. Missing types are 0.
    package mutating func append(ids sentence: some Collection<Int32>, types sentenceTypes: (some Collection<UInt8>)?, position: Int, sample: Int) {
        ids.append(contentsOf: sentence)
        positions.append(contentsOf: 0..<Int32(sentence.count))
        if let sentenceTypes {
            precondition(sentenceTypes.count == sentence.count, "\(sentenceTypes.count) types for \(sentence.count) tokens")
            types.append(contentsOf: sentenceTypes)
        } else {
            types.append(contentsOf: repeatElement(0, count: sentence.count))
        }
        offsets.append(Int32(ids.count))
        batchPositions.append(UInt32(position))
        samples.append(sample)
    }

    package func range(_ sentence: Int) -> Range<Int> { Int(offsets[sentence])..<Int(offsets[sentence + 1]) }
}

/// Rows of a packed batch that are read after the last layer.
struct ReadRows {
    /// (R) row numbers, ascending.
    let rows: [Int32]
    /// (S + 1) first place in `rows` of each sentence.
    let offsets: [Int32]

    /// The first row of each sentence, [CLS].
    init(firstOf batch: PackedBatch) {
        rows = Array(batch.offsets.dropLast())
        offsets = (0..<Int32(batch.offsets.count)).map { $0 }
    }

    /// Chosen rows, ascending.
    init(_ rows: [Int32], of batch: PackedBatch) {
        self.rows = rows
        var offsets: [Int32] = []
        var place = 0
        for start in batch.offsets {
            while place < rows.count, rows[place] < start { place += 1 }
            offsets.append(Int32(place))
        }
        self.offsets = offsets
    }

    init(allOf batch: PackedBatch) {
        rows = (0..<Int32(batch.tokenCount)).map { $0 }
        offsets = batch.offsets
    }
}
