package import Kernels
internal import Tensors

/// Dropout during one training step; absent in evaluation.
package struct DropoutContext: Sendable {
    package private(set) var key: DropoutKey
    package let hidden: DropoutRate
    package let attention: DropoutRate
    package let head: DropoutRate
    /// Of the adapters' inputs.
    package let adapter: DropoutRate

    /// Nil if no site drops anything.
    package init?(_ shape: BERTShape, key: DropoutKey, adapter rate: Double = 0) {
        self.key = key
        hidden = DropoutRate(shape.hiddenDropout)
        attention = DropoutRate(shape.attentionDropout)
        head = DropoutRate(shape.headDropout)
        adapter = DropoutRate(rate)
        if hidden.isZero && attention.isZero && head.isZero && adapter.isZero { return nil }
    }

    /// The same step's dropout for another task's batch.
    package func of(_ stream: TaskStream) -> DropoutContext {
        var other = self
        other.key = DropoutKey(seed: key.seed, step: Int(key.step), stream: stream.rawValue)
        return other
    }

    /// Keep bits for chosen rows of a packed batch, or nil at a rate of zero.
    ///
    /// The bits of a row depend on its sentence, its token and the site, not on which other rows are computed.
    func bits(
        _ rate: DropoutRate, rows: ReadRows, of batch: PackedBatch, columns: Int, layer: Int, site: DropoutSite,
        arena: Arena
    ) -> BitView? {
        guard !rate.isZero else { return nil }
        let words = BitView.words(columns: columns)
        let bits = arena.takeBits(rows.rows.count * words)
        Team.run(batch.sentenceCount, threads: bits.count < 1 << 14 ? 1 : Team.threads) { sentence in
            var place = Int(rows.offsets[sentence])
            let end = Int(rows.offsets[sentence + 1])
            while place < end {
                // The keep bits of consecutive tokens are contiguous.
                var next = place + 1
                while next < end, rows.rows[next] == rows.rows[next - 1] + 1 { next += 1 }
                let token = Int(rows.rows[place] - batch.offsets[sentence])
                dropoutBits(
                    bits[(place * words)..<(next * words)], from: token * words, key: key, rate: rate,
                    position: batch.batchPositions[sentence], layer: layer, site: site)
                place = next
            }
        }
        return bits
    }
}
