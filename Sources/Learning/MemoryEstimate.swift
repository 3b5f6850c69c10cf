package import BERT
internal import Kernels
internal import Reduction
internal import Tensors

/// Bytes that the work with a model needs, estimated from sizes alone before anything is allocated.
///
/// Upper estimates: rows that no head reads count like the others, and samples come in the worst order.
package struct MemoryEstimate: Sendable {
    private let model: BERTModel
    private let threads: Int
    /// Whether each thread computes lanes of its own, as with products of a library.
    private let computesApart: Bool

    package init(_ model: BERTModel, threads: Int, computesApart: Bool) {
        (self.model, self.threads, self.computesApart) = (model, threads, computesApart)
    }

    /// The weights, and their copies in bf16 for products in it.
    package var weights: Int { 4 * model.layout.count + paired }

    /// Without copies.
    package var plainWeights: Int { 4 * model.layout.count }

    private var paired: Int { model.precision == .float32 ? 0 : 4 * model.layout.count }

    /// Adam's two moments.
    package var moments: Int { 2 * 4 * model.layout.stateCount }

    private var gradient: Int { 4 * model.layout.denseCount }

    /// Samples of a step, as far as its memory depends on them.
    package struct Batch: Sendable {
        let lanes: Int
        /// Most tokens of a lane, and of all lanes.
        let laneTokens: Int
        let tokens: Int
        let longest: Int
        /// Whether a lane has several batches in a step.
        let hasSeveral: Bool

        /// - Parameter lengths: tokens of each sample of the data.
        package init(lengths: [Int32], batchSize: Int, lanes: Int, hasSeveral: Bool) {
            let most = lengths.max(count: batchSize).map(Int.init)
            (self.lanes, self.hasSeveral) = (lanes, hasSeveral)
            (tokens, longest) = (most.reduce(0, +), most.first ?? 0)
            laneTokens = min(tokens, tokens / max(1, lanes) + longest)
        }
    }

    /// Gradients and activations of a step whose lanes are all this process's; without the weights.
    /// - Parameter recompute: whether activations are recomputed.
    package func step(_ batch: Batch, recompute: Bool) -> Int {
        let passes = computesApart ? threads : 1
        let pass = computesApart ? batch.laneTokens : max(batch.laneTokens, min(batch.tokens, LaneRunner.mostTokens))
        let fitsOnce = !computesApart && !batch.hasSeveral && batch.tokens <= LaneRunner.mostTokens
        // Sums that wait for the other half of their block, see LaneRunner.
        var depth = 1
        while !fitsOnce, 1 << depth < batch.lanes { depth += 1 }
        let sums = depth + (computesApart ? threads - 1 : 0) + (batch.hasSeveral ? 1 : 0)
        let rows = 3 * 4 * model.shape.width * min(model.shape.vocabulary, max(pass, batch.tokens))
        return sums * gradient + rows + passes * arena(trainingFloats(batch.longest, recompute: recompute) * pass)
    }

    /// Scoring of samples on all threads, or other passes without training.
    /// - Parameter tokens: most tokens of a batch.
    package func scoring(tokens: Int, longest: Int) -> Int { threads * arena(scoringFloats(longest) * tokens) }

    /// Scoring of a dataset's chunks, and the scores that are kept.
    /// - Parameter lengths: tokens of each sample.
    package func scoring(lengths: [Int32]) -> Int {
        let most = lengths.max(count: Evaluation.chunkSize).map(Int.init)
        let kept = model.head.pooling == nil ? 0 : 4 * lengths.count * model.head.outputs(model.shape)
        return scoring(tokens: most.reduce(0, +), longest: most.first ?? 0) + kept
    }

    /// The frozen encoder's output for samples, if it is kept.
    package func features(samples: Int) -> Int { model.hasFixedFeatures ? 4 * samples * model.shape.width : 0 }

    /// Memory of an exchange among workers that share a host: their block sums, rows and results.
    package func exchange(workers: Int, lanes: Int) -> Int {
        let tree = ReductionTree(laneCount: lanes)
        let blocks = LaneAssignment(laneCount: lanes, workers: workers).lanes.reduce(0) {
            $0 + ($1.isEmpty ? 0 : tree.blocks(covering: $1).count)
        }
        let rows = model.layout.sparseTable == nil ? 0 : workers * 4 * 2_048 * model.shape.width
        return (blocks + 1) * gradient + rows
    }

    /// Memory for `floats` values, with the ends of chunks that are too short for the next ones.
    private func arena(_ floats: Int) -> Int { 4 * (floats + floats / 8) + 8 << 20 }

    /// Values of a layer that are kept for each token until its backward pass.
    private func layerFloats(_ longest: Int) -> Int {
        let s = model.shape
        let bits = (s.heads * longest + 2 * s.width) / 32
        let adapters = model.lora.map { $0.targets.count * (s.width + $0.rank) } ?? 0
        return 9 * s.width + 2 * s.feedForward + 4 + bits + adapters
    }

    /// The head's values for each token; of masked-LM some tokens' logits and their gradients.
    private var headFloats: Int { model.head == .maskedLanguageModel ? model.shape.vocabulary / 2 : model.shape.width }

    private func trainingFloats(_ longest: Int, recompute: Bool) -> Int {
        let s = model.shape
        let layers = (recompute ? 1 : s.layers) * layerFloats(longest) + (recompute ? s.layers * s.width : 0)
        return layers + 11 * s.width + s.feedForward + headFloats
    }

    private func scoringFloats(_ longest: Int) -> Int {
        2 * model.shape.width + layerFloats(longest) + headFloats
    }
}

extension [Int32] {
    /// The largest elements, the largest first.
    /// - Complexity: O(n log n).
    fileprivate func max(count: Int) -> ArraySlice<Int32> { sorted(by: >).prefix(count) }
}
