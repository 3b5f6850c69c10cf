package import BERT
internal import Tensors

/// Gradual unfreezing: at first only the pooler and the head are trained, then one more layer every few epochs, from
/// the top; the embeddings come last.
///
/// Source: Howard and Ruder 2018, section 3.3.
package struct Unfreezing: Sendable, Equatable {
    /// Epochs of each stage.
    package let every: Int
    /// Encoder layers.
    package let layers: Int

    package init(every: Int, layers: Int) {
        self.every = every
        self.layers = layers
    }

    /// Number of layers, from the top, trained in an epoch; one more than all layers includes the embeddings.
    package func thawed(inEpoch epoch: Int) -> Int { min((epoch - 1) / every, layers + 1) }

    /// The groups that are still frozen, as `--freeze` names them.
    package func frozen(inEpoch epoch: Int) -> [String] {
        let thawed = thawed(inEpoch: epoch)
        if thawed > layers { return [] }
        return ["embeddings"] + (thawed < layers ? ["layers 0-\(layers - thawed - 1)"] : [])
    }

    /// Steps before the first update of each depth, see ``BERT/BERTModel/depth(of:)``.
    package func beginnings(stepsPerEpoch: Int) -> [Int] {
        (0...layers).map { (layers + 1 - $0) * every * stepsPerEpoch } + [0]
    }
}

extension TrainingState {
    /// The same state for a model that trains other parameters: newly trained parameters begin with moments of zero.
    package func converted(from old: BERTModel, to new: BERTModel) -> TrainingState {
        let (from, to) = (old.layout, new.layout)
        let (first, second) = (
            FloatBuffer(count: to.stateCount, whole: to.denseCount),
            FloatBuffer(count: to.stateCount, whole: to.denseCount)
        )
        for (before, after) in zip(from.entries, to.entries) {
            precondition(before.name == after.name, "\(before.name) and \(after.name) are of different models")
            guard let source = before.gradientOffset, let target = after.gradientOffset else { continue }
            first.view.part(from: target, count: after.count).copy(
                from: self.first.view.part(from: source, count: after.count))
            second.view.part(from: target, count: after.count).copy(
                from: self.second.view.part(from: source, count: after.count))
        }
        let keepsRows = from.sparseTable != nil && to.sparseTable != nil
        let touched = keepsRows ? touched : TouchedRows(rows: to.sparseTable?.shape[0] ?? 0)
        return TrainingState(parameters: parameters, first: first, second: second, touched: touched)
    }
}
