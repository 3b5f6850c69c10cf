internal import BERT
internal import Learning
internal import Tensors
internal import TextData
internal import Wording

extension RunInputs {
    /// A line on whether a frozen encoder's output is kept.
    static func describeFeatures(_ model: BERTModel, _ datasets: [Split: TokenizedDataset]) -> String? {
        if model.isHeldBackByDropout {
            return
                "the encoder is frozen, but its dropout differs from step to step: --dropout 0 computes its output "
                + "once and keeps it"
        }
        guard model.hasFixedFeatures else { return nil }
        let samples = datasets.reduce(0) { $0 + ($1.key == .test ? 0 : $1.value.count) }
        let bytes = samples * model.shape.width * MemoryLayout<Float>.stride
        return
            "the encoder is frozen: its output for \(counted(samples, "sample")) is computed once and kept, "
            + "\(decimal(Double(bytes) / 1e6, 1)) MB"
    }
}
