internal import Kernels

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
    /// (T) index of each token in its sentence.
    package var positions: [Int32] = []
    /// (T) token types.
    package var types: [UInt8] = []
    /// (S + 1) first row of each sentence.
    package var offsets: [Int32] = [0]
    /// (S) position of each sentence in its global batch; names its dropout masks.
    package var batchPositions: [UInt32] = []
    /// (S) index of each sample in its dataset.
    package var samples: [Int] = []
    /// The expected answers of the head.
    package var targets: Targets
    /// (S, D) the encoder's output for each sentence, if it is known beforehand; then each sentence has one row.
    package var features: [Float] = []
    /// If several lanes are packed together: the first sentence of each, then S. Empty for one lane.
    package private(set) var laneSentences: [Int32] = []
    /// How the lanes' sums are added, see ``LaneRows``.
    package private(set) var laneJoins: [UInt8] = []

    /// What the head is to answer, for S sentences with C outputs each.
    package enum Targets: Sendable, Equatable {
        case none
        /// (S) class numbers.
        case classes([Int32])
        /// (S, C) numbers; of a multi-label head 1 if the label is right, else 0.
        case values([Float])
        /// Rows that have answers, ascending, and the class or word of each; -1 if it is not known.
        case tokens(rows: [Int32], classes: [Int32])
    }

    package init(targets: Targets = .none) { self.targets = targets }

    package var tokenCount: Int { ids.count }
    package var sentenceCount: Int { offsets.count - 1 }

    /// Reserves memory for this many tokens and sentences in all; powers of two, so that a reused batch soon has
    /// enough.
    package mutating func reserve(tokens: Int, sentences: Int) {
        func room(_ count: Int) -> Int { count < 2 ? count : 1 << (Int.bitWidth - (count - 1).leadingZeroBitCount) }
        let (tokens, sentences) = (room(tokens), room(sentences))
        ids.reserveCapacity(tokens)
        positions.reserveCapacity(tokens)
        types.reserveCapacity(tokens)
        offsets.reserveCapacity(sentences + 1)
        batchPositions.reserveCapacity(sentences)
        samples.reserveCapacity(sentences)
    }

    /// Removes all sentences and targets and keeps their memory.
    package mutating func removeAll() {
        ids.removeAll(keepingCapacity: true)
        positions.removeAll(keepingCapacity: true)
        types.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        offsets.append(0)
        batchPositions.removeAll(keepingCapacity: true)
        samples.removeAll(keepingCapacity: true)
        features.removeAll(keepingCapacity: true)
        laneSentences.removeAll(keepingCapacity: true)
        laneJoins.removeAll(keepingCapacity: true)
        targets = .none
    }

    /// Takes the targets' lists, emptied, for reuse.
    package mutating func takeTargets() -> (rows: [Int32], classes: [Int32], values: [Float]) {
        var lists: (rows: [Int32], classes: [Int32], values: [Float]) = ([], [], [])
        switch targets {
        case .none: break
        case .classes(let classes): lists.classes = classes
        case .values(let values): lists.values = values
        case .tokens(let rows, let classes): (lists.rows, lists.classes) = (rows, classes)
        }
        targets = .none
        lists.rows.removeAll(keepingCapacity: true)
        lists.classes.removeAll(keepingCapacity: true)
        lists.values.removeAll(keepingCapacity: true)
        return lists
    }

    /// Appends one sentence. Missing types are 0.
    package mutating func append(
        ids sentence: some Collection<Int32>, types sentenceTypes: (some Collection<UInt8>)?, position: Int, sample: Int
    ) {
        ids.append(contentsOf: sentence)
        positions.append(contentsOf: 0..<Int32(sentence.count))
        if let sentenceTypes {
            precondition(
                sentenceTypes.count == sentence.count, "\(sentenceTypes.count) types for \(sentence.count) tokens")
            types.append(contentsOf: sentenceTypes)
        } else {
            types.append(contentsOf: repeatElement(0, count: sentence.count))
        }
        offsets.append(Int32(ids.count))
        batchPositions.append(UInt32(position))
        samples.append(sample)
    }

    package func range(_ sentence: Int) -> Range<Int> { Int(offsets[sentence])..<Int(offsets[sentence + 1]) }

    /// Packs the batches of several lanes together, in the same memory as before.
    /// - Parameters:
    ///   - lanes: of one stream, none of them empty.
    ///   - joins: how their sums are added, see ``LaneRows``.
    package mutating func fill(lanes: some Sequence<PackedBatch>, joins: [UInt8]) {
        var (rows, classes, values) = takeTargets()
        var kind = Targets.none
        removeAll()
        for lane in lanes {
            stream = lane.stream
            laneSentences.append(Int32(sentenceCount))
            let firstRow = Int32(tokenCount)
            switch lane.targets {
            case .none: break
            case .classes(let own): classes.append(contentsOf: own)
            case .values(let own): values.append(contentsOf: own)
            case .tokens(let own, let known):
                for row in own { rows.append(firstRow + row) }
                classes.append(contentsOf: known)
            }
            kind = lane.targets
            ids.append(contentsOf: lane.ids)
            positions.append(contentsOf: lane.positions)
            types.append(contentsOf: lane.types)
            for offset in lane.offsets.dropFirst() { offsets.append(firstRow + offset) }
            batchPositions.append(contentsOf: lane.batchPositions)
            samples.append(contentsOf: lane.samples)
            features.append(contentsOf: lane.features)
        }
        laneSentences.append(Int32(sentenceCount))
        laneJoins.append(contentsOf: joins)
        switch kind {
        case .none: targets = .none
        case .classes: targets = .classes(classes)
        case .values: targets = .values(values)
        case .tokens: targets = .tokens(rows: rows, classes: classes)
        }
    }
}

/// Rows of a packed batch that are read after the last layer.
struct ReadRows {
    /// (R) row numbers, ascending.
    private(set) var rows: [Int32] = []
    /// (R) index of each row's token in its sentence.
    private(set) var tokens: [Int32] = []
    /// (S + 1) first index in `rows` of each sentence.
    private(set) var offsets: [Int32] = []
    /// The lanes of these rows.
    private(set) var lanes = LaneRows(one: 0)

    /// No rows; keeps the memory of earlier ones.
    init() {}

    init(allOf batch: PackedBatch) { setAll(of: batch) }

    init(firstOf batch: PackedBatch) { setFirst(of: batch) }

    mutating func setAll(of batch: PackedBatch) {
        rows.removeAll(keepingCapacity: true)
        rows.append(contentsOf: 0..<Int32(batch.tokenCount))
        (tokens, offsets) = (batch.positions, batch.offsets)
        setLanes(of: batch)
    }

    /// Releases the batch's own lists, so that it can change them in place.
    mutating func forgetBatch() { (tokens, offsets) = ([], []) }

    /// The first row of each sentence, [CLS].
    mutating func setFirst(of batch: PackedBatch) {
        clear()
        rows.append(contentsOf: batch.offsets.dropLast())
        tokens.append(contentsOf: repeatElement(0, count: rows.count))
        offsets.append(contentsOf: 0..<Int32(batch.offsets.count))
        setLanes(of: batch)
    }

    /// Chosen rows, ascending.
    mutating func set(_ chosen: [Int32], of batch: PackedBatch) {
        clear()
        rows.append(contentsOf: chosen)
        for row in chosen { tokens.append(batch.positions[Int(row)]) }
        var place = 0
        for start in batch.offsets {
            while place < rows.count, rows[place] < start { place += 1 }
            offsets.append(Int32(place))
        }
        setLanes(of: batch)
    }

    private mutating func setLanes(of batch: PackedBatch) {
        if batch.laneJoins.isEmpty {
            lanes.set(one: rows.count)
        } else {
            lanes.set(first: batch.laneSentences.lazy.map { [offsets] in offsets[Int($0)] }, joins: batch.laneJoins)
        }
    }

    private mutating func clear() {
        rows.removeAll(keepingCapacity: true)
        tokens.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
    }
}
