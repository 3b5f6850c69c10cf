package import TextData

/// Which samples each lane computes in one optimizer step.
package struct StepPlan: Sendable, Equatable {
    /// Counted from 1.
    package let step: Int
    /// Counted from 1.
    package let epoch: Int
    /// Whether the epoch's last sample is in this step.
    package let endsEpoch: Bool
    /// For each lane, for each global batch of the step, the samples in ascending position.
    package let lanes: [[[PlannedSample]]]
    /// Samples in all lanes; the loss is a mean over them.
    package let sampleCount: Int
    package let tokenCount: Int
}

/// One sample of a step and where it stands among the step's samples.
package struct PlannedSample: Sendable, Equatable {
    /// Number in the dataset.
    package let sample: Int32
    /// Position in the step's global batches, counted through; names its dropout masks.
    package let position: UInt32

    package init(sample: Int32, position: UInt32) {
        self.sample = sample
        self.position = position
    }
}

/// Every step of a run, as a pure function of seed, sizes and the samples' lengths.
package struct TrainingPlan: Sendable {
    package let seed: UInt64
    package let batchSize: Int
    package let accumulate: Int
    package let laneCount: Int
    package let epochs: Int
    /// Tokens of each sample.
    package let lengths: [Int32]
    package let stepsPerEpoch: Int
    package let totalSteps: Int

    package init(seed: UInt64, batchSize: Int, accumulate: Int, laneCount: Int, epochs: Int, maxSteps: Int?, lengths: [Int32]) {
        self.seed = seed
        self.batchSize = batchSize
        self.accumulate = accumulate
        self.laneCount = laneCount
        self.epochs = epochs
        self.lengths = lengths
        let batches = (lengths.count + batchSize - 1) / batchSize
        stepsPerEpoch = (batches + accumulate - 1) / accumulate
        totalSteps = min(maxSteps ?? .max, stepsPerEpoch * epochs)
    }

    /// The epoch of a step, both counted from 1.
    package func epoch(ofStep step: Int) -> Int { (step - 1) / stepsPerEpoch + 1 }

    package func order(ofEpoch epoch: Int) -> EpochPlan {
        EpochPlan(seed: seed, epoch: epoch, sampleCount: lengths.count, batchSize: batchSize)
    }

    /// - Parameter order: the order of the step's epoch.
    package func step(_ step: Int, order: EpochPlan) -> StepPlan {
        let first = (step - 1) % stepsPerEpoch * accumulate
        let batches = first..<min(first + accumulate, order.batchCount)
        var lanes = [[[PlannedSample]]](repeating: [], count: laneCount)
        var (samples, tokens) = (0, 0)
        for batch in batches {
            let members = Array(order.batch(batch))
            let cut = LaneCut.lanes(lengths: members.map { lengths[Int($0)] }, laneCount: laneCount)
            let base = (batch - first) * batchSize
            for (lane, positions) in cut.enumerated() {
                lanes[lane].append(positions.map { PlannedSample(sample: members[$0], position: UInt32(base + $0)) })
            }
            samples += members.count
            tokens += members.reduce(0) { $0 + Int(lengths[Int($1)]) }
        }
        return StepPlan(
            step: step, epoch: epoch(ofStep: step), endsEpoch: batches.upperBound == order.batchCount, lanes: lanes, sampleCount: samples,
            tokenCount: tokens)
    }
}
