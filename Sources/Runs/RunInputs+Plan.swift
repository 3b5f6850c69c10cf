internal import Configuration
internal import Inputs
internal import Kernels
internal import Learning
internal import TextData

extension LossOptions {
    /// Those of the target task.
    init(_ configuration: TrainingConfiguration, _ data: RunData) throws {
        self.init(
            labelSmoothing: configuration.labelSmoothing,
            classWeights: try ClassWeights.values(
                configuration.classWeights, data.target.labels, data.datasets[.train]?.labels ?? .none))
    }
}

extension TrainingPlan {
    /// Which samples are in which step.
    init(_ configuration: TrainingConfiguration, _ data: RunData, _ loss: LossOptions) {
        let train = data.datasets[.train]
        self.init(
            seed: configuration.seed, batchSize: configuration.batchSize, accumulate: configuration.accumulate,
            laneCount: configuration.laneCount,
            epochs: configuration.epochs, maxSteps: configuration.maxSteps, lengths: train?.lengths ?? [],
            weights: train.map { SampleWeights($0, loss) } ?? .same(1))
        if let samples = data.datasets[.sourceTrain] {
            source = SourcePlan(configuration, samples, totalSteps: totalSteps)
        }
    }
}

extension SourcePlan {
    fileprivate init(_ configuration: TrainingConfiguration, _ dataset: TokenizedDataset, totalSteps: Int) {
        self.init(
            seed: configuration.seed, batchSize: configuration.sourceBatchSize ?? configuration.batchSize,
            lengths: dataset.lengths,
            weights: SampleWeights(dataset, LossOptions()),
            lambda: LambdaSchedule(
                shape: configuration.lambdaSchedule, from: configuration.lambda,
                to: configuration.lambdaEnd ?? configuration.lambda,
                totalSteps: totalSteps))
    }
}

extension LearningRateSchedule {
    init(_ configuration: TrainingConfiguration, totalSteps: Int) {
        self.init(
            shape: configuration.schedule, peak: configuration.learningRate,
            warmupSteps: configuration.warmupSteps.count(of: totalSteps), totalSteps: totalSteps)
    }
}

extension OptimizerSettings {
    init(_ configuration: TrainingConfiguration, _ plan: TrainingPlan, layers: Int) {
        self.init(
            kind: configuration.optimizer, weightDecay: configuration.weightDecay,
            maxGradientNorm: configuration.maxGradNorm,
            factors: configuration.learningRateFactors(layers: layers),
            beginnings: configuration.beginnings(layers: layers, stepsPerEpoch: plan.stepsPerEpoch))
    }
}
