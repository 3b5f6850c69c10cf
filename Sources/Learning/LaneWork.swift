package import BERT

/// A worker's share of one global batch: its lanes' packed sentences.
package struct LaneWork: Sendable {
    /// Number of the first lane; lanes are consecutive.
    package var firstLane = 0
    /// The packed batches of each lane, one for each global batch of the step, the target task's first; empty if the
    /// lane has no samples.
    package var lanes: [[PackedBatch]] = []
    /// Factor on each sample's loss of the target task: its weight / its normalizer.
    package var lossScale: Float = 0
    /// The same of the source task.
    package var sourceScale: Float = 0
    package var dropout: DropoutContext?

    /// No lanes: work that is filled, step by step in the same memory.
    package init() {}

    package init(
        firstLane: Int, lanes: [[PackedBatch]], lossScale: Float, sourceScale: Float = 0, dropout: DropoutContext?
    ) {
        self.firstLane = firstLane
        self.lanes = lanes
        self.lossScale = lossScale
        self.sourceScale = sourceScale
        self.dropout = dropout
    }
}
