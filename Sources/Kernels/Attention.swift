internal import CSystem
internal import CVectorMath
package import Tensors

/// Row offsets of the sentences of a packed batch, for queries and for keys.
package struct AttentionRows: Sendable {
    /// (S + 1): first row of each sentence among keys and values.
    package let keys: [Int32]
    /// (S + 1): first row of each sentence among queries. Equal to `keys` if every row has a query.
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
    /// For each query row, its token's index in the sentence.
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
/// No probabilities are kept: the backward pass recomputes them from queries and keys, so that memory is
/// one (rows of a block, longest sentence) scratch for any length of text. The products are part of one kernel: on the
/// small matrices of short sentences that is faster than a library's products, and intermediate values stay in cache.
/// With ``BLAS/openblas`` they are separate products all the same.
/// Source: Vaswani et al. 2017, section 3.2.1.
package struct Attention {
    package let rows: AttentionRows
    package let heads: Int
    package let dropout: AttentionDropout?
    package let precision: Precision

    package init(
        rows: AttentionRows, heads: Int, dropout: AttentionDropout?, precision: Precision = .float32
    ) {
        self.precision = precision
        self.rows = rows
        self.heads = heads
        self.dropout = dropout
    }

    /// Words of keep bits of one sentence: for each head and query a row of its keys.
    private func words(_ sentence: Int) -> Int {
        heads * rows.queryRange(sentence).count * BitView.words(columns: rows.keyRange(sentence).count)
    }

    /// The keep bits of all sentences, for both passes; nil if nothing is dropped.
    ///
    /// A sentence's rows of bits are numbered by head and token, whichever of its tokens have queries.
    package func bits(arena: Arena) -> BitView? {
        guard let dropout else { return nil }
        let bits = arena.takeBits((0..<rows.sentences).reduce(0) { $0 + words($1) })
        Team.run(rows.sentences, threads: bits.count < 1 << 14 ? 1 : Team.threads) { sentence in
            var next = firstWord(sentence)
            func fill(_ count: Int, from first: Int) {
                dropoutBits(
                    bits[next..<(next + count)], from: first, key: dropout.key, rate: dropout.rate,
                    position: dropout.positions[sentence], layer: dropout.layer, site: .attention)
                next += count
            }
            let (keys, queries) = (rows.keyRange(sentence).count, rows.queryRange(sentence))
            if queries.count == keys { return fill(words(sentence), from: 0) }
            let width = BitView.words(columns: keys)
            for head in 0..<heads {
                for row in queries { fill(width, from: (head * keys + Int(dropout.queryTokens[row])) * width) }
            }
        }
        return bits
    }

    /// Words of keep bits before a sentence's.
    private func firstWord(_ sentence: Int) -> Int { (0..<sentence).reduce(0) { $0 + words($1) } }

    /// `context = dropout(softmax(scale · queries · keysᵀ)) · values` within each sentence and head.
    ///
    /// Shapes: `queries`, `context` (R, D); `keys`, `values` (T, D). All three factors are in the precision.
    package func forward(
        queries: Factor, keys: Factor, values: Factor, bits: BitView?, into context: Matrix, arena: Arena
    ) {
        precondition(
            keys.stride == values.stride && keys.columns == values.columns && queries.columns == context.columns)
        checkPrecision(queries, keys, values)
        forEachPart(bits) { asking, answering, heads, bits in
            guard BLAS.foreignProduct == nil else {
                return forwardByProducts(
                    queries.matrix.rows(asking), keys.matrix.rows(answering), values.matrix.rows(answering), bits,
                    into: context.rows(asking), arena: arena)
            }
            var shape = shape(asking, answering, heads.count, queries: queries, keys: keys, context: context)
            let column = heads.lowerBound * shape.width
            unsafe apus_attention(
                &shape, queries.address(row: asking.lowerBound, column: column),
                keys.address(row: answering.lowerBound, column: column),
                values.address(row: answering.lowerBound, column: column), bits?.base,
                context.rows(asking).elements.base + column,
                apus_thread_scratch(apus_attention_scratch(answering.count, shape.width)))
        }
    }

    /// The backward pass: gradients of queries, keys and values from that of the context.
    ///
    /// Shapes and bits as in ``forward``; all three gradients are overwritten.
    package func backward(
        queries: Factor, keys: Factor, values: Factor, bits: BitView?, contextGradient: Matrix, queryGradient: Matrix,
        keyGradient: Matrix,
        valueGradient: Matrix, arena: Arena
    ) {
        precondition(keys.stride == values.stride && keyGradient.stride == valueGradient.stride)
        precondition(
            keys.columns == values.columns && keyGradient.columns == keys.columns
                && valueGradient.columns == keys.columns)
        precondition(
            queries.columns == keys.columns && queryGradient.columns == keys.columns
                && contextGradient.columns == keys.columns)
        checkPrecision(queries, keys, values)
        forEachPart(bits) { asking, answering, heads, bits in
            guard !asking.isEmpty else {
                // A sentence without queries contributes nothing to its keys' and values' gradients.
                guard heads.lowerBound == 0 else { return }
                for row in answering {
                    keyGradient.rows(row..<(row + 1)).elements.fill(0)
                    valueGradient.rows(row..<(row + 1)).elements.fill(0)
                }
                return
            }
            guard BLAS.foreignProduct == nil else {
                return backwardByProducts(
                    queries.matrix.rows(asking), keys.matrix.rows(answering), values.matrix.rows(answering), bits,
                    contextGradient: contextGradient.rows(asking),
                    queryGradient: queryGradient.rows(asking), keyGradient: keyGradient.rows(answering),
                    valueGradient: valueGradient.rows(answering),
                    arena: arena)
            }
            var shape = shape(asking, answering, heads.count, queries: queries, keys: keys, context: contextGradient)
            shape.query_gradient_row = queryGradient.stride
            shape.key_gradient_row = keyGradient.stride
            let column = heads.lowerBound * shape.width
            unsafe apus_attention_backward(
                &shape, queries.address(row: asking.lowerBound, column: column),
                keys.address(row: answering.lowerBound, column: column),
                values.address(row: answering.lowerBound, column: column), bits?.base,
                contextGradient.rows(asking).elements.base + column,
                queryGradient.rows(asking).elements.base + column,
                keyGradient.rows(answering).elements.base + column,
                valueGradient.rows(answering).elements.base + column,
                apus_thread_scratch(apus_attention_scratch(answering.count, shape.width)))
        }
    }

    /// Calls `body` with the query rows, the key rows, the heads and their bits of each part of the work.
    ///
    /// A part is a sentence, or one head of a sentence where a team has more threads than that gives work to.
    private func forEachPart(_ bits: BitView?, _ body: (Range<Int>, Range<Int>, Range<Int>, BitView?) -> Void) {
        precondition((bits == nil) == (dropout == nil), "dropout needs its bits")
        func part(_ sentence: Int, _ some: Range<Int>, from first: Int) {
            let own = words(sentence) / heads
            let range = (first + some.lowerBound * own)..<(first + some.upperBound * own)
            body(rows.queryRange(sentence), rows.keyRange(sentence), some, bits?[range])
        }
        let pairs = (0..<rows.sentences).reduce(0) { $0 + rows.queryRange($1).count * rows.keyRange($1).count }
        guard BLAS.foreignProduct == nil, Team.parts(2, work: pairs * heads * 64) > 1 else {
            var first = 0
            for sentence in 0..<rows.sentences {
                part(sentence, 0..<heads, from: first)
                if bits != nil { first += words(sentence) }
            }
            return
        }
        let divisor = rows.sentences >= 8 * Team.threads ? 1 : heads
        Team.run(rows.sentences * divisor, threads: Team.threads) { item in
            let (sentence, head) = (item / divisor, item % divisor)
            part(
                sentence, divisor == 1 ? 0..<heads : head..<(head + 1),
                from: bits == nil ? 0 : firstWord(sentence))
        }
    }

    private func checkPrecision(_ factors: Factor...) {
        for factor in factors {
            if case .rounded = factor {
                precondition(precision != .float32, "factors in bf16 for attention in single precision")
            } else {
                precondition(precision == .float32, "factors in single precision for attention in bf16")
            }
        }
    }

    private func shape(
        _ asking: Range<Int>, _ answering: Range<Int>, _ count: Int, queries: Factor, keys: Factor, context: Matrix
    ) -> apus_attention_shape {
        let width = queries.columns / heads
        return apus_attention_shape(
            queries: asking.count, keys: answering.count, heads: count, width: width, query_row: queries.stride,
            key_row: keys.stride,
            context_row: context.stride, query_gradient_row: 0, key_gradient_row: 0,
            scale: 1 / Float(width).squareRoot(),
            dropout_scale: dropout?.rate.scale ?? 1, order: precision.order?.number ?? CInt(APUS_SINGLE_PRECISION))
    }
}
