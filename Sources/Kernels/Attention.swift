package import Tensors

/// Where the sentences of a packed batch lie, for the rows that ask and the rows that answer.
package struct AttentionRows: Sendable {
    /// (S + 1): first row of each sentence among keys and values.
    package let keys: [Int32]
    /// (S + 1): first row of each sentence among queries. Equal to `keys` where every row asks.
    package let queries: [Int32]

    package init(keys: [Int32], queries: [Int32]) {
        precondition(keys.count == queries.count, "\(keys.count) key offsets and \(queries.count) query offsets")
        self.keys = keys
        self.queries = queries
    }

    package var sentences: Int { keys.count - 1 }
    package func keyRange(_ sentence: Int) -> Range<Int> { Int(keys[sentence])..<Int(keys[sentence + 1]) }
    package func queryRange(_ sentence: Int) -> Range<Int> { Int(queries[sentence])..<Int(queries[sentence + 1]) }
}

/// Dropout on attention probabilities: bits of all sentences and heads of a layer, or none.
package struct AttentionDropout {
    package let rate: DropoutRate
    package let key: DropoutKey
    package let layer: Int
    /// Position of each sentence in its global batch.
    package let positions: [UInt32]
    /// For each query row, its token's place in the sentence.
    package let queryTokens: [Int32]

    package init(rate: DropoutRate, key: DropoutKey, layer: Int, positions: [UInt32], queryTokens: [Int32]) {
        self.rate = rate
        self.key = key
        self.layer = layer
        self.positions = positions
        self.queryTokens = queryTokens
    }
}

/// Scaled dot-product attention within each sentence, forward and backward, a block of query rows at a time.
///
/// No probabilities are kept: the backward pass computes them again from queries and keys, so that memory is
/// one (rows of a block, longest sentence) scratch whatever the length of the text.
/// Source: Vaswani et al. 2017, section 3.2.1.
package struct Attention {
    /// Query rows that are worked on together.
    package static let blockRows = 128

    package let rows: AttentionRows
    package let heads: Int
    package let dropout: AttentionDropout?

    package init(rows: AttentionRows, heads: Int, dropout: AttentionDropout?) {
        self.rows = rows
        self.heads = heads
        self.dropout = dropout
    }

    /// One block of query rows of one head of one sentence.
    private struct Block {
        let sentence: Int
        let head: Int
        let queries: Range<Int>
        let keys: Range<Int>
        let columns: Range<Int>
        /// Distance between rows of scores: the number of keys rounded up to a vector.
        var stride: Int { (keys.count + 15) / 16 * 16 }
    }

    private func forEachBlock(width: Int, _ body: (Block) -> Void) {
        for sentence in 0..<rows.sentences {
            let keys = rows.keyRange(sentence)
            let queries = rows.queryRange(sentence)
            for head in 0..<heads {
                for start in stride(from: queries.lowerBound, to: queries.upperBound, by: Self.blockRows) {
                    body(
                        Block(
                            sentence: sentence, head: head, queries: start..<min(start + Self.blockRows, queries.upperBound), keys: keys,
                            columns: (head * width)..<((head + 1) * width)))
                }
            }
        }
    }

    /// Probabilities of one block, before dropout.
    private func probabilities(_ block: Block, queries: Matrix, keys: Matrix, scale: Float, scratch: FloatView) -> Matrix {
        let scores = Matrix(scratch, rows: block.queries.count, columns: block.keys.count, stride: block.stride)
        multiply(
            queries.rows(block.queries).columns(block.columns), .plain, keys.rows(block.keys).columns(block.columns), .transposed,
            into: scores)
        softmaxRows(scores, scale: scale)
        return scores
    }

    /// The keep bits of one block: rows are numbered by head and token, so consecutive tokens are one run of words.
    private func bits(_ block: Block, _ dropout: AttentionDropout, into bits: BitView) -> BitView {
        let words = BitView.words(columns: block.keys.count)
        func fill(_ places: Range<Int>, token: Int) {
            dropoutBits(
                bits[(places.lowerBound * words)..<(places.upperBound * words)],
                from: (block.head * block.keys.count + token) * words, key: dropout.key, rate: dropout.rate,
                position: dropout.positions[block.sentence], layer: dropout.layer, site: .attention)
        }
        if rows.queryRange(block.sentence).count == block.keys.count {
            fill(0..<block.queries.count, token: block.queries.lowerBound - rows.queryRange(block.sentence).lowerBound)
        } else {
            for (place, row) in block.queries.enumerated() { fill(place..<(place + 1), token: Int(dropout.queryTokens[row])) }
        }
        return bits[0..<(block.queries.count * words)]
    }

    private func scratchCount() -> (scores: Int, bits: Int) {
        var scores = 0
        var bits = 0
        for sentence in 0..<rows.sentences {
            let keys = rows.keyRange(sentence).count
            let queries = min(rows.queryRange(sentence).count, Self.blockRows)
            scores = max(scores, queries * ((keys + 15) / 16 * 16))
            bits = max(bits, queries * BitView.words(columns: keys))
        }
        return (scores, bits)
    }

    /// `context = dropout(softmax(scale · queries · keysᵀ)) · values` within each sentence and head.
    ///
    /// Shapes: `queries`, `context` (R, D); `keys`, `values` (T, D).
    package func forward(queries: Matrix, keys: Matrix, values: Matrix, into context: Matrix, arena: Arena) {
        let mark = arena.mark
        defer { arena.release(to: mark) }
        let counts = scratchCount()
        let scratch = arena.take(counts.scores)
        let bitScratch = arena.takeBits(dropout == nil ? 0 : counts.bits)
        let width = queries.columns / heads
        let scale = 1 / Float(width).squareRoot()
        forEachBlock(width: width) { block in
            let p = probabilities(block, queries: queries, keys: keys, scale: scale, scratch: scratch)
            if let dropout {
                Kernels.dropout(p, bits: bits(block, dropout, into: bitScratch), rate: dropout.rate, into: p)
            }
            multiply(
                p, .plain, values.rows(block.keys).columns(block.columns), .plain,
                into: context.rows(block.queries).columns(block.columns))
        }
    }

    /// The backward pass: gradients of queries, keys and values from that of the context.
    ///
    /// Shapes as in ``forward``; all three gradients are overwritten.
    package func backward(
        queries: Matrix, keys: Matrix, values: Matrix, contextGradient: Matrix, queryGradient: Matrix, keyGradient: Matrix,
        valueGradient: Matrix, arena: Arena
    ) {
        let mark = arena.mark
        defer { arena.release(to: mark) }
        let counts = scratchCount()
        let (scratch, gradientScratch) = (arena.take(counts.scores), arena.take(counts.scores))
        let droppedScratch = arena.take(dropout == nil ? 0 : counts.scores)
        let bitScratch = arena.takeBits(dropout == nil ? 0 : counts.bits)
        let width = queries.columns / heads
        let scale = 1 / Float(width).squareRoot()
        forEachBlock(width: width) { block in
            let first = block.queries.lowerBound == rows.queryRange(block.sentence).lowerBound
            let dContext = contextGradient.rows(block.queries).columns(block.columns)
            let keyRows = keys.rows(block.keys).columns(block.columns)
            let p = probabilities(block, queries: queries, keys: keys, scale: scale, scratch: scratch)
            let dp = Matrix(gradientScratch, rows: p.rows, columns: p.columns, stride: p.stride)
            multiply(dContext, .plain, values.rows(block.keys).columns(block.columns), .transposed, into: dp)
            var kept = p
            if let dropout {
                let bits = bits(block, dropout, into: bitScratch)
                kept = Matrix(droppedScratch, rows: p.rows, columns: p.columns, stride: p.stride)
                Kernels.dropout(p, bits: bits, rate: dropout.rate, into: kept)
                Kernels.dropout(dp, bits: bits, rate: dropout.rate, into: dp)
            }
            multiply(
                kept, .transposed, dContext, .plain, into: valueGradient.rows(block.keys).columns(block.columns), accumulate: !first)
            softmaxRowsBackward(p, dp, scale: scale)
            multiply(dp, .plain, keyRows, .plain, into: queryGradient.rows(block.queries).columns(block.columns))
            multiply(
                dp, .transposed, queries.rows(block.queries).columns(block.columns), .plain,
                into: keyGradient.rows(block.keys).columns(block.columns), accumulate: !first)
        }
    }
}
