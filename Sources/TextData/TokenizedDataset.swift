internal import Dispatch
internal import Synchronization

/// The targets of the samples.
package enum SampleLabels: Equatable, Sendable {
    case none
    case classes([Int32])
    /// (samples, width) numbers, row after row.
    case values([Float], width: Int)
    case tokens(TokenLabels)
    /// Hidden words, drawn again in each step.
    case masked(WordMasking)
}

/// The classes of single tokens of each sample.
package struct TokenLabels: Equatable, Sendable {
    /// (samples + 1) the start of each sample in `tokens` and `classes`.
    package internal(set) var offsets: [Int] = [0]
    /// Indices in the sample, ascending: the first token of each word.
    package internal(set) var tokens: [Int32] = []
    package internal(set) var classes: [Int32] = []

    package func range(of sample: Int) -> Range<Int> { offsets[sample]..<offsets[sample + 1] }
}

/// All samples of a dataset as ids, one after another without gaps.
package struct TokenizedDataset: Equatable, Sendable {
    package private(set) var ids: [Int32] = []
    /// 0 or 1 for each id; nil without pairs, when all are 0.
    package private(set) var types: [UInt8]?
    /// The start of each sample in `ids`; one more than there are samples.
    package private(set) var offsets: [Int] = [0]
    package private(set) var labels: SampleLabels
    package private(set) var truncatedCount = 0
    /// Tokens of each sample before truncation.
    package private(set) var wholeLengths: [Int32] = []

    package var count: Int { offsets.count - 1 }
    package var tokenCount: Int { ids.count }

    /// Tokenizes all rows on `threads` threads; the result does not depend on their number.
    ///
    /// - Parameter progress: called periodically by each thread with the number of rows tokenized since its last call.
    package init(
        _ dataset: Dataset, tokenizer: WordPieceTokenizer, maxLength: Int, labels: SampleLabels, threads: Int,
        progress: @Sendable (_ rows: Int) -> Void = { _ in }
    ) {
        self.labels = labels
        switch labels {
        case .none, .masked: break
        case .classes(let values):
            precondition(values.count == dataset.count, "\(values.count) labels for \(dataset.count) samples")
        case .values(let values, let width):
            precondition(
                values.count == dataset.count * width,
                "\(values.count) targets for \(dataset.count) samples of \(width)")
        case .tokens: preconditionFailure("word labels require words")
        }
        if dataset.pairs != nil { types = [] }
        self = Self.collect(dataset.count, threads: threads, into: self) {
            Part(dataset, $0, tokenizer, maxLength, progress)
        } take: { whole, part in
            whole.append(part, of: dataset.count)
        }
    }

    /// Tokenizes rows word by word; the class of a word belongs to its first token, other tokens have none.
    ///
    /// - Parameter wordClasses: one class per word of each row.
    package init(
        words: [[String]], tokenizer: WordPieceTokenizer, maxLength: Int, wordClasses: [[Int32]], threads: Int,
        progress: @Sendable (_ rows: Int) -> Void = { _ in }
    ) {
        precondition(words.count == wordClasses.count, "classes of \(wordClasses.count) rows for \(words.count)")
        labels = .none
        let (whole, tokens) = Self.collect(words.count, threads: threads, into: (self, TokenLabels())) {
            Part(words, $0, tokenizer, maxLength, progress)
        } take: { state, part in
            state.0.append(part, of: words.count)
            for firsts in part.firstPieces {
                let classes = wordClasses[state.1.offsets.count - 1]
                state.1.tokens.append(contentsOf: firsts.map(\.token))
                state.1.classes.append(contentsOf: firsts.map { classes[$0.word] })
                state.1.offsets.append(state.1.tokens.count)
            }
        }
        self = whole
        labels = .tokens(tokens)
    }

    /// Removes the samples of a masked-LM task in which no token can be hidden: they would have no loss.
    package mutating func removeSamplesWithoutHiddenTokens() {
        guard case .masked(let masking) = labels, (0..<count).contains(where: { !masking.canAsk(ids[range(of: $0)]) })
        else { return }
        let all = self
        (ids, types, offsets) = ([], all.types.map { _ in [] }, [0])
        for range in (0..<all.count).map(all.range) where masking.canAsk(all.ids[range]) {
            ids.append(contentsOf: all.ids[range])
            if let found = all.types?[range] { types?.append(contentsOf: found) }
            offsets.append(ids.count)
        }
    }

    /// The number of ids of a sample.
    package func length(of sample: Int) -> Int { offsets[sample + 1] - offsets[sample] }

    package func range(of sample: Int) -> Range<Int> { offsets[sample]..<offsets[sample + 1] }

    /// The number of ids of each sample, recounted at each call.
    package var lengths: [Int32] { (0..<count).map { Int32(length(of: $0)) } }

    package var longest: Int { (0..<count).reduce(0) { max($0, length(of: $1)) } }
    package var meanLength: Double { count == 0 ? 0 : Double(tokenCount) / Double(count) }

    /// - Parameter rows: of the whole dataset.
    private mutating func append(_ part: Part, of rows: Int) {
        reserve(part, of: rows)
        let base = ids.count
        ids.append(contentsOf: part.ids)
        types?.append(contentsOf: part.types)
        for end in part.ends { offsets.append(base + end) }
        truncatedCount += part.truncatedCount
        wholeLengths += part.wholeLengths
    }

    /// Makes room for a part's ids, and at the same time for those of all rows if they are as long as those so far: an
    /// array that grows as it needs is three times in memory while it does. Room that is not used is not resident.
    private mutating func reserve(_ part: Part, of rows: Int) {
        if offsets.count == 1 {
            offsets.reserveCapacity(rows + 1)
            wholeLengths.reserveCapacity(rows)
        }
        let count = ids.count + part.ids.count
        guard ids.capacity < count else { return }
        let mean = Double(count) / Double(offsets.count - 1 + part.ends.count)
        let room = max(count, Int(1.02 * mean * Double(rows)), ids.capacity + ids.capacity / 4)
        ids.reserveCapacity(room)
        types?.reserveCapacity(room)
    }

    /// Rows that a thread takes at a time: two parts a thread are in memory beside the whole, seldom more.
    private static let partRows = 4_096

    /// Parts that are taken in their order, whatever the order in which threads finish them.
    private struct Taking<State: Sendable>: Sendable {
        var state: State
        var begun = 0
        var taken = 0
        var early: [Int: Part] = [:]
    }

    /// Makes the parts of all rows on some threads.
    private static func collect<State: Sendable>(
        _ rows: Int, threads: Int, into state: State, make: @Sendable (Range<Int>) -> Part,
        take: @Sendable (inout State, Part) -> Void
    ) -> State {
        let parts = (rows + partRows - 1) / partRows
        let taking = Mutex(Taking(state: state))
        DispatchQueue.concurrentPerform(iterations: max(1, min(threads, parts))) { _ in
            while true {
                let number = taking.withLock { taking in
                    defer { taking.begun += 1 }
                    return taking.begun
                }
                guard number < parts else { return }
                let part = make(number * partRows..<min(rows, (number + 1) * partRows))
                taking.withLock { taking in
                    taking.early[number] = part
                    while let next = taking.early.removeValue(forKey: taking.taken) {
                        take(&taking.state, next)
                        taking.taken += 1
                    }
                }
            }
        }
        return taking.withLock { $0.state }
    }

    /// Rows that one thread tokenizes.
    private struct Part: Sendable {
        var ids: [Int32] = []
        var types: [UInt8] = []
        var ends: [Int] = []
        var firstPieces: [[WordPieceTokenizer.FirstPiece]] = []
        var truncatedCount = 0
        var wholeLengths: [Int32] = []
        /// The ids of a truncated sample while they are counted.
        private var whole: [Int32] = []

        init(
            _ dataset: Dataset, _ rows: Range<Int>, _ tokenizer: WordPieceTokenizer, _ maxLength: Int,
            _ progress: (Int) -> Void
        ) {
            var scratch = WordPieceTokenizer.Scratch(tokenizer)
            ends.reserveCapacity(rows.count)
            for row in rows {
                let pair = dataset.pairs?[row]
                let shape = scratch.append(dataset.texts[row], pair: pair, maxLength: maxLength, to: &ids)
                if pair != nil { types.append(contentsOf: shape.types) }
                end(isTruncated: shape.truncated) { whole in
                    _ = scratch.append(dataset.texts[row], pair: pair, maxLength: nil, to: &whole)
                }
                if ends.count % Self.rowsTold == 0 { progress(Self.rowsTold) }
            }
        }

        private static let rowsTold = 512

        init(
            _ words: [[String]], _ rows: Range<Int>, _ tokenizer: WordPieceTokenizer, _ maxLength: Int,
            _ progress: (Int) -> Void
        ) {
            var scratch = WordPieceTokenizer.Scratch(tokenizer)
            for row in rows {
                let shape = scratch.append(words: words[row], maxLength: maxLength, to: &ids)
                firstPieces.append(shape.firstPieces)
                end(isTruncated: shape.truncated) { whole in
                    _ = scratch.append(words: words[row], maxLength: .max, to: &whole)
                }
                if ends.count % Self.rowsTold == 0 { progress(Self.rowsTold) }
            }
        }

        /// Ends a sample after its ids.
        /// - Parameter encode: appends all ids of the sample.
        private mutating func end(isTruncated: Bool, encode: (inout [Int32]) -> Void) {
            let begin = ends.last ?? 0
            ends.append(ids.count)
            guard isTruncated else { return wholeLengths.append(Int32(ids.count - begin)) }
            truncatedCount += 1
            whole.removeAll(keepingCapacity: true)
            encode(&whole)
            wholeLengths.append(Int32(whole.count))
        }
    }
}
