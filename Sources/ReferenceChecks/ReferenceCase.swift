package import BERT
package import Kernels
package import Learning

/// A small model with the reference implementation's results for one padded batch, or for one of each of two tasks.
package struct ReferenceCase {
    package let name: String
    package let shape: BERTShape
    package let head: Head
    /// Adapters, if nothing else of the encoder is trained.
    package var lora: LoRA?
    package let loss: LossOptions
    package let optimizer: OptimizerSettings
    package let schedule: LearningRateSchedule
    package let steps: Int
    /// Weights by Hugging Face name, with a given number of elements.
    package let weights: (String, Int) throws -> [Float]
    /// Reference tensors by name, with a given number of elements: hidden.K, logits, loss, grad.NAME, after.NAME.
    package let reference: (String, Int) throws -> [Float]
    package let target: ReferenceBatch
    package let source: Source?

    /// A source task that is trained in the same steps: L = L_source + lambda L_target.
    package struct Source {
        package let head: SourceHead
        package let batch: ReferenceBatch
        package let lambda: Double
    }
}
