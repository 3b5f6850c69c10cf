internal import ArgumentParser
internal import Configuration
internal import Learning

/// How the parameters are updated, for how long, and how the best model is chosen.
struct OptimizationOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Passes over the training data; fractions such as 0.5 are allowed. (default: 3)", valueName: "number"))
    var epochs: EpochCount?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Optimizer steps after which the run ends. (default: --epochs decides)", valueName: "steps"))
    var maxSteps: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Samples in one global batch, over all workers together, never per worker. (default: 32)",
            valueName: "samples"))
    var batchSize: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Global batches in one optimizer step. (default: 1)", valueName: "batches"))
    var accumulate: Int?
    @Option(parsing: .unconditional, help: ArgumentHelp("Peak learning rate. (default: 5e-5)", valueName: "rate"))
    var learningRate: Double?
    @Option(
        help: ArgumentHelp(
            "adam (weight decay added to the gradient) or adamw (decoupled weight decay). (default: adam)",
            valueName: "name"))
    var optimizer: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Weight decay; biases and layer norms have none. (default: 0)", valueName: "factor"))
    var weightDecay: Double?
    @Option(
        help: ArgumentHelp(
            "Learning rate after the warm-up: constant, linear or cosine; the last two reach 0 at the last step. "
                + "(default: constant)", valueName: "name"))
    var schedule: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Steps over which the learning rate rises from 0; below 1, a share of all steps, such as 0.1. (default: 0)",
            valueName: "steps"))
    var warmupSteps: WarmupLength?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Global gradient norm above which a gradient is scaled down. (default: no clipping)", valueName: "norm"))
    var maxGradNorm: Double?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Dropout probability. (default: as in the model's config.json)", valueName: "probability"))
    var dropout: Double?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Label smoothing: share of the target that is spread over all classes. (default: 0)", valueName: "share"))
    var labelSmoothing: Double?
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "'balanced' (each class has the same total weight), or LABEL=WEIGHT for some labels, 1 for the others.",
            valueName: "weight"))
    var classWeights: [String] = []
    @Option(
        help: ArgumentHelp(
            "Input of the head: cls (BERT's pooler on [CLS]) or mean (over its tokens). (default: cls)",
            valueName: "name"))
    var pooling: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Seed of sample order, dropout and new heads. (default: 0)", valueName: "number"))
    var seed: UInt64?
    @Option(
        help: ArgumentHelp(
            "One run for each of these seeds, with mean and deviation: 0,1,2.", valueName: "list"))
    var seeds: String?
    @Option(
        help: ArgumentHelp(
            "What decides which model is the best: accuracy; macro-f1 (mean over classes), matthews, roc-auc or "
                + "average-precision for classes; exact-match for several labels; entity-f1 for tagged entities; "
                + "pearson, spearman or mse for numbers; loss. (default: accuracy, entity-f1 for tagged entities, loss "
                + "if there is neither)",
            valueName: "name"))
    var metric: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Evaluations without improvement after which the run ends. (default: never)", valueName: "count"))
    var patience: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Steps between evaluations, in addition to those after each epoch. (default: each epoch)",
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
