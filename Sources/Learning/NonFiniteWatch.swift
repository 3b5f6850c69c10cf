package import BERT
internal import Kernels
internal import Tensors

/// Checks every stage of a step and records the first non-finite value.
package final class NonFiniteWatch {
    /// Where the first such value arose.
    package private(set) var found: String?

    package init() {}

    package var observer: StageObserver {
        { [self] stage, values, rows, batch in look(stage, values, rows, batch) }
    }

    private func look(_ stage: Stage, _ values: Matrix, _ rows: [Int32]?, _ batch: PackedBatch) {
        guard found == nil else { return }
        let bad = (0..<values.rows).filter { !isFinite(values.rows($0..<($0 + 1)).elements) }.map {
            Int32(rows?[$0] ?? Int32($0))
        }
        guard !bad.isEmpty else { return }
        let sentences = Set(bad.map { row in batch.offsets.lastIndex { $0 <= row } ?? 0 })
        let samples = sentences.map { batch.samples[min($0, batch.samples.count - 1)] }.sorted()
        found = "\(stage) of training samples \(samples.map(String.init).joined(separator: ", "))"
    }
}
