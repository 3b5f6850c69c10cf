package import BERT
package import Learning
package import TextData

/// The samples of one lane and one global batch, or of one evaluation chunk, in wire format.
///
/// 32-bit little-endian words: for each sample its number, position, length and count of label words, then its token
/// ids and its label words; after all samples the token types, a byte each, if the run has them, and then the samples'
/// features, if they are sent. The label words are a class, or a float for each output, or for each token with an
/// answer its index in the sample and its class.
package enum ShardFrame {
    /// Frames that the coordinator feeds; kinds below belong to the exchange.
    package enum Kind: UInt8, Sendable {
        /// Samples of a step: bucket is the lane, offset the global batch.
        case lane = 32
        /// Samples of an evaluation: bucket is the chunk, offset 1 if its scores are requested, else 0.
        case chunk = 33
        /// Weights, moments and touched rows of a state.
        case parameters = 34
        case first = 35
        case second = 36
        case touched = 37
        /// As `lane`, of the source task.
        case sourceLane = 38
        /// Samples whose features are requested: bucket is the chunk; also the reply.
        case featureChunk = 39
        case features = 40
        /// The scores of an evaluation: bucket is the chunk.
        case scores = 41
    }

    /// - Parameters:
    ///   - features: sent instead of the samples' tokens.
    ///   - withTypes: whether the run's frames have token types; they are 0 if the dataset has none.
    package static func encode(
        _ samples: [PlannedSample], of dataset: TokenizedDataset, features: FeatureStore? = nil, step: Int,
        withTypes: Bool
    ) -> [UInt8] {
        let batch = PackedBatch(samples, of: dataset, step: step).with(features)
        var words: [Int32] = []
        words.reserveCapacity(batch.tokenCount + 5 * batch.sentenceCount)
        var place = 0
        for sentence in 0..<batch.sentenceCount {
            let range = batch.range(sentence)
            let labels = labelWords(batch, sentence, from: &place)
            words.append(Int32(batch.samples[sentence]))
            words.append(Int32(bitPattern: batch.batchPositions[sentence]))
            words.append(Int32(range.count))
            words.append(Int32(labels.count))
            words.append(contentsOf: batch.ids[range])
            words.append(contentsOf: labels)
        }
        for place in words.indices { words[place] = words[place].littleEndian }
        let features = batch.features.map(\.bitPattern.littleEndian)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4 * (words.count + features.count) + batch.tokenCount)
        unsafe words.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        if withTypes { bytes += batch.types }
        unsafe features.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        return bytes
    }

    /// - Parameter place: index of the batch's first selected token that is not yet used.
    private static func labelWords(_ batch: PackedBatch, _ sentence: Int, from place: inout Int) -> [Int32] {
        switch batch.targets {
        case .none: return []
        case .classes(let classes): return [classes[sentence]]
        case .values(let values):
            let width = values.count / batch.sentenceCount
            return values[(sentence * width)..<((sentence + 1) * width)].map { Int32(bitPattern: $0.bitPattern) }
        case .tokens(let rows, let classes):
            var words: [Int32] = []
            while place < rows.count, rows[place] < batch.offsets[sentence + 1] {
                words.append(contentsOf: [rows[place] - batch.offsets[sentence], classes[place]])
                place += 1
            }
            return words
        }
    }

    /// Decodes the output of ``encode``.
    /// - Parameters:
    ///   - count: samples that the frame's header announces.
    ///   - stream: the task whose samples they are.
    ///   - withFeatures: whether the samples come with features instead of their tokens.
    /// - Returns: nil if the bytes are not such a frame, or refer to something that the model lacks.
    package static func decode(
        _ bytes: [UInt8], count: UInt64, run: RunDescription, stream: TaskStream = .target, withFeatures: Bool = false
    ) -> PackedBatch? {
        var batch = PackedBatch()
        let isRead = unsafe decode(
            bytes.span.bytes, count: count, run: run, stream: stream, withFeatures: withFeatures, into: &batch)
        return isRead ? batch : nil
    }

    /// The same, into the memory of an unused batch.
    /// - Returns: false if it is not such a frame; the batch's contents are then invalid.
    package static func decode(
        _ bytes: RawSpan, count: UInt64, run: RunDescription, stream: TaskStream, withFeatures: Bool,
        into batch: inout PackedBatch
    ) -> Bool {
        guard let head = stream == .target ? run.head : run.source?.head else { return false }
        var labels = LabelWords(head, run.shape, memory: batch.takeTargets())
        batch.removeAll()
        batch.stream = stream
        var place = 0
        func word() -> Int32? {
            guard place + 4 <= bytes.byteCount else { return nil }
            defer { place += 4 }
            return Int32(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: place, as: Int32.self))
        }
        var (ids, labelWords): ([Int32], [Int32]) = ([], [])
        for _ in 0..<count {
            guard let sample = word(), let position = word(), let length = word(), let labelCount = word(), sample >= 0,
                length > 0,
                labelCount >= 0, Int(length) <= run.shape.positions,
                place + 4 * (Int(length) + Int(labelCount)) <= bytes.byteCount
            else { return false }
            ids.removeAll(keepingCapacity: true)
            ids.reserveCapacity(run.shape.positions)
            for _ in 0..<length {
                guard let id = word(), id >= 0, Int(id) < run.shape.vocabulary else { return false }
                ids.append(id)
            }
            labelWords.removeAll(keepingCapacity: true)
            for _ in 0..<labelCount { if let word = word() { labelWords.append(word) } }
            guard labels.add(labelWords, length: length, firstRow: Int32(batch.tokenCount)) else { return false }
            batch.append(
                ids: ids, types: nil as [UInt8]?, position: Int(UInt32(bitPattern: position)), sample: Int(sample))
        }
        let typeCount = run.hasTypes ? batch.tokenCount : 0
        let featureCount = withFeatures ? batch.sentenceCount * run.shape.width : 0
        guard place + typeCount + 4 * featureCount == bytes.byteCount,
            !withFeatures || batch.tokenCount == batch.sentenceCount
        else { return false }
        if run.hasTypes {
            for token in 0..<typeCount {
                let type = unsafe bytes.unsafeLoad(fromByteOffset: place + token, as: UInt8.self)
                guard Int(type) < run.shape.types else { return false }
                batch.types[token] = type
            }
            place += typeCount
        }
        for _ in 0..<featureCount {
            if let word = word() { batch.features.append(Float(bitPattern: UInt32(bitPattern: word))) }
        }
        batch.targets = labels.targets
        return true
    }

    /// The targets of a head, decoded from label words.
    private struct LabelWords {
        let head: Head
        let outputs: Int
        private var rows: [Int32]
        private var classes: [Int32]
        private var values: [Float]

        /// - Parameter memory: empty lists to fill.
        init(_ head: Head, _ shape: BERTShape, memory: (rows: [Int32], classes: [Int32], values: [Float])) {
            self.head = head
            (rows, classes, values) = memory
            outputs = head.outputs(shape)
        }

        /// - Returns: false if the words do not match the head.
        mutating func add(_ words: [Int32], length: Int32, firstRow: Int32) -> Bool {
            switch head {
            case .classification:
                guard words.count == 1, words[0] >= 0, Int(words[0]) < outputs else { return false }
                classes.append(words[0])
            case .regression, .multiLabel:
                guard words.count == outputs else { return false }
                values.append(contentsOf: words.map { Float(bitPattern: UInt32(bitPattern: $0)) })
            case .tokenClassification, .maskedLanguageModel:
                guard words.count.isMultiple(of: 2) else { return false }
                var last: Int32 = -1
                for place in stride(from: 0, to: words.count, by: 2) {
                    let (token, label) = (words[place], words[place + 1])
                    guard token > last, token < length, label >= 0, Int(label) < outputs else { return false }
                    last = token
                    rows.append(firstRow + token)
                    classes.append(label)
                }
            }
            return true
        }

        var targets: PackedBatch.Targets {
            switch head {
            case .classification: .classes(classes)
            case .regression, .multiLabel: .values(values)
            case .tokenClassification, .maskedLanguageModel: .tokens(rows: rows, classes: classes)
            }
        }
    }
}
