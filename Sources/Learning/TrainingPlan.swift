package import TextData

/// Which samples each lane computes in one optimizer step.
package struct StepPlan: Sendable, Equatable {
    /// Counted from 1.
    package let step: Int
    /// Counted from 1.
    package let epoch: Int
    /// Whether the epoch's last sample is in this step.
    package let endsEpoch: Bool
    package let target: StreamPlan
    /// The source task's batches, if there is one.
    package let source: StreamPlan?
    /// The target task's weight relative to the source task; 1 without one.
    package let lambda: Double

    package var lanes: [[[PlannedSample]]] { target.lanes }
    package var sampleCount: Int { target.sampleCount }
    package var tokenCount: Int { target.tokenCount }
    package var normalizer: Double { target.normalizer }

    /// Factor on each sample's loss of the target task; 0 if there are no targets.
    package var lossScale: Float { normalizer > 0 ? Float(lambda / normalizer) : 0 }
    package var sourceScale: Float { source.map { $0.normalizer > 0 ? Float(1 / $0.normalizer) : 0 } ?? 0 }

    /// Lanes that have no sample of either task.
    package var emptyLanes: [Int] {
        lanes.indices.filter { lane in
            lanes[lane].allSatisfy(\.isEmpty) && source?.lanes[lane].allSatisfy(\.isEmpty) ?? true
        }
    }
}

/// One task's samples of one step.
package struct StreamPlan: Sendable, Equatable {
    /// For each lane, for each global batch of the step, the samples in ascending position.
    package fileprivate(set) var lanes: [[[PlannedSample]]]
    /// Samples in all lanes.
    package fileprivate(set) var sampleCount = 0
    package fileprivate(set) var tokenCount = 0
    /// The normalizer of the loss: count of samples, outputs or tokens with answers, or the sum of their weights.
    package fileprivate(set) var normalizer = 0.0

    package var batchCount: Int { lanes.first?.count ?? 0 }

    fileprivate init(laneCount: Int) { lanes = [[[PlannedSample]]](repeating: [], count: laneCount) }

    /// Distributes one more global batch over the lanes.
    /// - Parameter base: position of its first sample.
    fileprivate mutating func add(_ members: [Int32], lengths: [Int32], weights: SampleWeights, step: Int, base: Int) {
        let cut = LaneCut.lanes(lengths: members.map { lengths[Int($0)] }, laneCount: lanes.count)
        for (lane, positions) in cut.enumerated() {
            lanes[lane].append(positions.map { PlannedSample(sample: members[$0], position: UInt32(base + $0)) })
        }
        for (position, sample) in members.enumerated() {
            normalizer += weights.weight(of: Int(sample), step: step, position: UInt32(base + position))
            tokenCount += Int(lengths[Int(sample)])
        }
        sampleCount += members.count
    }
}

/// One sample of a step and its position among its task's samples of the step.
package struct PlannedSample: Sendable, Equatable {
    /// Index in the dataset.
    package let sample: Int32
    /// Position in the step's global batches, counted consecutively; determines its dropout masks.
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
    package let epochs: EpochCount
    /// Tokens of each sample.
    package let lengths: [Int32]
    package let weights: SampleWeights
    package let stepsPerEpoch: Int
    package let totalSteps: Int
    /// The source task's stream, if there is one.
    package var source: SourcePlan?

    package init(
        seed: UInt64, batchSize: Int, accumulate: Int, laneCount: Int, epochs: EpochCount, maxSteps: Int?,
        lengths: [Int32], weights: SampleWeights = .same(1)
    ) {
        self.seed = seed
        self.batchSize = batchSize
        self.accumulate = accumulate
        self.laneCount = laneCount
        self.epochs = epochs
        self.lengths = lengths
        self.weights = weights
        let batches = (lengths.count + batchSize - 1) / batchSize
        stepsPerEpoch = (batches + accumulate - 1) / accumulate
        totalSteps = Self.totalSteps(epochs, stepsPerEpoch: stepsPerEpoch, maxSteps: maxSteps)
    }

    /// The steps of a run that ends after its epochs or after `maxSteps`, whichever comes first.
    package static func totalSteps(_ epochs: EpochCount, stepsPerEpoch: Int, maxSteps: Int?) -> Int {
        min(maxSteps ?? .max, epochs.steps(perEpoch: stepsPerEpoch))
    }

    /// Epochs that the run begins; its steps may end it before all that were asked for.
    package var begunEpochs: Int { max(1, (totalSteps + stepsPerEpoch - 1) / stepsPerEpoch) }

    /// The epoch of a step, both counted from 1.
    package func epoch(ofStep step: Int) -> Int { (step - 1) / stepsPerEpoch + 1 }

    /// The order of the samples in an epoch, counted from 1.
    package func order(ofEpoch epoch: Int) -> EpochPlan {
        EpochPlan(seed: seed, epoch: epoch, sampleCount: lengths.count, batchSize: batchSize)
    }

    /// - Parameter order: the order of the step's epoch.
    package func step(_ step: Int, order: EpochPlan) -> StepPlan {
        let first = (step - 1) % stepsPerEpoch * accumulate
        let batches = first..<min(first + accumulate, order.batchCount)
        var target = StreamPlan(laneCount: laneCount)
        for batch in batches {
            target.add(
                Array(order.batch(batch)), lengths: lengths, weights: weights, step: step,
                base: (batch - first) * batchSize)
        }
        return StepPlan(
            step: step, epoch: epoch(ofStep: step), endsEpoch: batches.upperBound == order.batchCount, target: target,
            source: source.map { sourceStep(step, of: $0) }, lambda: source?.lambda.value(step: step) ?? 1)
    }

    /// The numbers of the source task's global batches of a step, counted from 0 through the whole run.
    package func sourceBatches(ofStep step: Int) -> Range<Int> { ((step - 1) * accumulate)..<(step * accumulate) }

    private func sourceStep(_ step: Int, of source: SourcePlan) -> StreamPlan {
        var plan = StreamPlan(laneCount: laneCount)
        for (place, batch) in sourceBatches(ofStep: step).enumerated() {
            plan.add(
                source.members(ofBatch: batch), lengths: source.lengths, weights: source.weights, step: step,
                base: place * source.batchSize)
        }
        return plan
    }
}
