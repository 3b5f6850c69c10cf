internal import Tensors

/// Attention as separate products and row-wise functions, head by head: for products by a library, see ``BLAS``.
///
/// The scores of all queries of a sentence exist at one time.
extension Attention {
    /// One head of one sentence: its columns of the matrices, and its keep bits.
    private struct Head {
        let columns: Range<Int>
        let bits: BitView?
    }

    /// The heads of a sentence with `asking` queries and `answering` keys.
    private func heads(_ width: Int, asking: Int, answering: Int, _ bits: BitView?) -> [Head] {
        let words = asking * BitView.words(columns: answering)
        return (0..<heads).map { head in
            Head(
                columns: (head * width / heads)..<((head + 1) * width / heads),
                bits: bits?[(head * words)..<((head + 1) * words)])
        }
    }

    /// A matrix of scores: rows a whole number of vectors apart, as softmax requires.
    private func takeScores(_ asking: Int, _ answering: Int, _ arena: Arena) -> Matrix {
        let row = (answering + 15) / 16 * 16
        return Matrix(arena.take(asking * row), rows: asking, columns: answering, stride: row)
    }

    private func drop(_ x: Matrix, _ bits: BitView?, into y: Matrix) {
        if let bits, let dropout { Kernels.dropout(x, bits: bits, rate: dropout.rate, into: y) }
    }

    private func scale(_ width: Int) -> Float { 1 / Float(width / heads).squareRoot() }

    /// The forward pass of one sentence. Shapes: `queries`, `context` (R, D); `keys`, `values` (T, D), of only this
    /// sentence.
    func forwardByProducts(
        _ queries: Matrix, _ keys: Matrix, _ values: Matrix, _ bits: BitView?, into context: Matrix, arena: Arena
    ) {
        let mark = arena.mark
        defer { arena.release(to: mark) }
        let scores = takeScores(queries.rows, keys.rows, arena)
        for head in heads(queries.columns, asking: queries.rows, answering: keys.rows, bits) {
            multiply(queries.columns(head.columns), .plain, keys.columns(head.columns), .transposed, into: scores)
            softmaxRows(scores, scale: scale(queries.columns))
            drop(scores, head.bits, into: scores)
            multiply(scores, .plain, values.columns(head.columns), .plain, into: context.columns(head.columns))
        }
    }

    /// The backward pass of one sentence; all three gradients are overwritten.
    func backwardByProducts(
        _ queries: Matrix, _ keys: Matrix, _ values: Matrix, _ bits: BitView?, contextGradient: Matrix,
        queryGradient: Matrix, keyGradient: Matrix,
        valueGradient: Matrix, arena: Arena
    ) {
        let mark = arena.mark
        defer { arena.release(to: mark) }
        let (p, dropped) = (takeScores(queries.rows, keys.rows, arena), takeScores(queries.rows, keys.rows, arena))
        let dp = takeScores(queries.rows, keys.rows, arena)
        for head in heads(queries.columns, asking: queries.rows, answering: keys.rows, bits) {
            let columns = head.columns
            let (q, k, dc) = (queries.columns(columns), keys.columns(columns), contextGradient.columns(columns))
            multiply(q, .plain, k, .transposed, into: p)
            softmaxRows(p, scale: scale(queries.columns))
            drop(p, head.bits, into: dropped)
            multiply(dc, .plain, values.columns(columns), .transposed, into: dp)
            drop(dp, head.bits, into: dp)
            multiply(head.bits == nil ? p : dropped, .transposed, dc, .plain, into: valueGradient.columns(columns))
            softmaxRowsBackward(p, dp, scale: scale(queries.columns))
            multiply(dp, .plain, k, .plain, into: queryGradient.columns(columns))
            multiply(dp, .transposed, q, .plain, into: keyGradient.columns(columns))
        }
    }
}
