internal import ArgumentParser
internal import Training

/// How the parameters are updated, for how long, and which model is the best.
struct OptimizationOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Passes over the training data, also a part of one: 0.5. (default: 3)", valueName: "epochs"))
    var epochs: EpochCount?
    @Option(parsing: .unconditional, help: "Optimizer steps after which the run ends. (default: the epochs decide)")
    var maxSteps: Int?
    @Option(
        parsing: .unconditional,
        help: "Samples in one global batch, over all workers together, never per worker. (default: 32)")
    var batchSize: Int?
    @Option(parsing: .unconditional, help: "Global batches in one optimizer step. (default: 1)")
    var accumulate: Int?
    @Option(parsing: .unconditional, help: "Learning rate, at its peak. (default: 5e-5)")
    var learningRate: Double?
    @Option(help: "adam (weight decay is added to the gradient) or adamw (decay apart from it). (default: adam)")
    var optimizer: String?
    @Option(parsing: .unconditional, help: "Weight decay, not on biases and layer norms. (default: 0)")
    var weightDecay: Double?
    @Option(
        help:
            ArgumentHelp(
                "Learning rate after the warm-up: constant, linear (falls to 0 at the last step) or cosine (along a cosine). "
                    + "(default: constant)")
    )
    var schedule: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Steps over which the learning rate rises from 0; below 1, as a share of all steps: 0.1. (default: 0)",
            valueName: "steps"))
    var warmupSteps: WarmupLength?
    @Option(
        parsing: .unconditional,
        help: "Global gradient norm above which a gradient is scaled down. (default: no clipping)")
    var maxGradNorm: Double?
    @Option(parsing: .unconditional, help: "Dropout probability. (default: as in the model's config.json)")
    var dropout: Double?
    @Option(parsing: .unconditional, help: "Share of a class's target that is spread over all classes. (default: 0)")
    var labelSmoothing: Double?
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "'balanced' (each class counts as much in all), or LABEL=WEIGHT for some labels, 1 for the others.",
            valueName: "weight"))
    var classWeights: [String] = []
    @Option(
        help: "What a head reads of a sentence: cls (BERT's pooler on [CLS]) or mean (over its tokens). (default: cls)")
    var pooling: String?
    @Option(parsing: .unconditional, help: "Decides order, dropout and new heads. (default: 0)")
    var seed: UInt64?
    @Option(
        help: ArgumentHelp(
            "Several runs, one for each of these seeds, with mean and deviation: 0,1,2.", valueName: "seeds"))
    var seeds: String?
    @Option(
        help: ArgumentHelp(
            "What decides which model is the best: accuracy; macro-f1 (mean over classes), matthews, roc-auc or "
                + "average-precision for classes; exact-match for several labels; entity-f1 for tagged entities; "
                + "pearson, spearman or mse for numbers; loss. (default: accuracy, entity-f1 for tagged entities, loss if "
                + "there is neither)",
            valueName: "name"))
    var metric: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Evaluations without a better one after which the run ends. (default: never)", valueName: "count"))
    var patience: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Steps from one evaluation to the next, beside those after each epoch. (default: each epoch)",
            valueName: "steps"))
    var evalEvery: Int?

    func give(to given: inout GivenOptions) {
        given.give(.epochs, epochs)
        given.give(.maxSteps, maxSteps)
        given.give(.batchSize, batchSize)
        given.give(.accumulate, accumulate)
        given.give(.learningRate, learningRate)
        given.give(.optimizer, optimizer)
        given.give(.weightDecay, weightDecay)
        given.give(.schedule, schedule)
        given.give(.warmupSteps, warmupSteps)
        given.give(.maxGradNorm, maxGradNorm)
        given.give(.dropout, dropout)
        given.give(.labelSmoothing, labelSmoothing)
        given.give(.classWeights, classWeights.isEmpty ? nil : classWeights)
        given.give(.pooling, pooling)
        given.give(.seed, seed)
        given.give(.seeds, seeds)
        given.give(.metric, metric)
        given.give(.patience, patience)
        given.give(.evalEvery, evalEvery)
    }
}

extension EpochCount: ExpressibleByArgument {
    public init?(argument: String) { self.init(.text(argument)) }
}

extension WarmupLength: ExpressibleByArgument {
    public init?(argument: String) { self.init(.text(argument)) }
}
