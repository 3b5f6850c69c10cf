internal import ArgumentParser
internal import Foundation
internal import Training

/// The training options, shared by `train`, `coordinate` and `launch`. Nil was not given.
///
/// Numbers take the next argument whatever it is, so that `-1` is refused as a number and not as a flag.
struct TrainOptions: ParsableArguments {
    @Option(help: ArgumentHelp("YAML file with these options as keys; the command line wins.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("Folder of the source model, in Hugging Face's layout. (default: all-MiniLM-L6-v2)", valueName: "dir"))
    var model: String?
    @Option(help: ArgumentHelp("Training data: TSV, CSV or JSON lines. (default: movie reviews)", valueName: "file"))
    var train: String?
    @Option(help: ArgumentHelp("Scored after each epoch, or 'none'. (default: movie reviews with the default data)", valueName: "file"))
    var validation: String?
    @Option(help: ArgumentHelp("Scored once, at the end. (default: movie reviews with the default data)", valueName: "file"))
    var test: String?
    @Option(help: ArgumentHelp("Folder of the run. (default: runs/<time>-<model>)", valueName: "dir"))
    var output: String?

    @Option(parsing: .unconditional, help: "Passes over the training data. (default: 3)")
    var epochs: Int?
    @Option(parsing: .unconditional, help: "Samples in one global batch, over all workers together, never per worker. (default: 32)")
    var batchSize: Int?
    @Option(parsing: .unconditional, help: "Learning rate. (default: 5e-5)")
    var learningRate: Double?
    @Option(help: "adam or adamw. (default: adam)")
    var optimizer: String?
    @Option(parsing: .unconditional, help: "Weight decay, not on biases and layer norms. (default: 0)")
    var weightDecay: Double?
    @Option(help: "constant, linear or cosine. (default: constant)")
    var schedule: String?
    @Option(parsing: .unconditional, help: "Steps over which the learning rate rises from 0. (default: 0)")
    var warmupSteps: Int?
    @Option(parsing: .unconditional, help: "Optimizer steps after which the run ends. (default: the epochs decide)")
    var maxSteps: Int?
    @Option(parsing: .unconditional, help: "Global gradient norm above which a gradient is scaled down. (default: no clipping)")
    var maxGradNorm: Double?
    @Option(parsing: .unconditional, help: "Global batches in one optimizer step. (default: 1)")
    var accumulate: Int?
    @Option(parsing: .unconditional, help: "Pieces of a sample with [CLS] and [SEP]; what is longer is truncated. (default: 128)")
    var maxLength: Int?
    @Option(parsing: .unconditional, help: "Dropout probability. (default: as in the model's config.json)")
    var dropout: Double?
    @Option(parsing: .unconditional, help: "Decides order, dropout and new heads. (default: 0)")
    var seed: UInt64?
    @Option(help: ArgumentHelp("Several runs, one for each of these seeds, with mean and deviation: 0,1,2.", valueName: "seeds"))
    var seeds: String?
    @Option(
        help: ArgumentHelp(
            "What decides which model is the best: \(Measure.allCases.map(\.rawValue).joined(separator: ", ")). (default: accuracy, or loss)", valueName: "name"
        ))
    var metric: String?
    @Option(parsing: .unconditional, help: ArgumentHelp("Epochs without a better validation after which the run ends. (default: never)", valueName: "epochs"))
    var patience: Int?
    @Option(parsing: .unconditional, help: "Fixed parts of a global batch; equal lanes give equal bits. (default: by cores and batch size)")
    var lanes: Int?
    @Option(parsing: .unconditional, help: "Threads of one worker. (default: the cores, shared by the workers)")
    var threads: Int?
    @Option(parsing: .upToNextOption, help: ArgumentHelp("Parameters that keep their source values, by name.", valueName: "pattern"))
    var freeze: [String] = []
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Epochs after which one more layer is trained, from the top. (default: all are at once)", valueName: "epochs"))
    var unfreezeEvery: Int?
    @Option(parsing: .unconditional, help: ArgumentHelp("Factor on the learning rate from each layer to the one below. (default: 1)", valueName: "factor"))
    var layerDecay: Double?
    @Option(parsing: .unconditional, help: ArgumentHelp("Learning rate of the new head. (default: --learning-rate)", valueName: "rate"))
    var headLearningRate: Double?
    @Option(
        parsing: .unconditional, help: ArgumentHelp("Encoder layers, from the top, that begin at random, and the pooler. (default: 0)", valueName: "layers"))
    var reinitializeLayers: Int?
    @Flag(help: "Begin with random weights in the source model's shape.")
    var fromScratch = false
    @Option(help: ArgumentHelp("Words of the domain, one a line, that get pieces and embeddings of their own.", valueName: "file"))
    var addTokens: String?
    @Flag(help: "Let --max-length go beyond the model's positions: its position table is repeated.")
    var extendPositions = false
    @Option(parsing: .unconditional, help: ArgumentHelp("Train adapters of this rank instead of the source's weights.", valueName: "rank"))
    var loraRank: Int?
    @Option(parsing: .unconditional, help: ArgumentHelp("An adapter's product counts alpha / rank times. (default: 8)", valueName: "alpha"))
    var loraAlpha: Double?
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Products with adapters: query, key, value, attention.output, intermediate, output. (default: query value)", valueName: "name"))
    var loraTargets: [String] = []
    @Option(parsing: .unconditional, help: "Dropout of the adapters' inputs. (default: 0)")
    var loraDropout: Double?
    @Option(parsing: .unconditional, help: ArgumentHelp("Steps from one checkpoint to the next. (default: each epoch)", valueName: "steps"))
    var checkpointEvery: Int?
    @Option(parsing: .unconditional, help: "Checkpoints that stay. (default: 2)")
    var keep: Int?
    @Flag(help: "Go on with the run in --output.")
    var resume = false

    @Option(parsing: .unconditional, help: "Workers below which the run waits. (default: 1)")
    var minWorkers: Int?
    @Option(parsing: .unconditional, help: "Replacements for one worker within 10 minutes. (default: 3)")
    var maxRestarts: Int?
    @Option(parsing: .unconditional, help: ArgumentHelp("How long a worker waits for a lost coordinator. (default: 60)", valueName: "seconds"))
    var coordinatorTimeout: Int?
    @Option(parsing: .unconditional, help: ArgumentHelp("Silence after which a process counts as lost. (default: 3)", valueName: "seconds"))
    var heartbeatTimeout: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Standstill after which a worker counts as lost, or 20 usual steps if that is longer. (default: 30)", valueName: "seconds"))
    var progressTimeout: Int?
    @Flag(help: "Plain text between hosts, without keys.")
    var insecure = false
    @Option(
        help: ArgumentHelp(
            "auto: a line that is drawn again on a terminal, else lines at growing intervals; bar or plain: one of the two; off: news only. (default: auto)",
            valueName: "how"))
    var progress: String?
    @Flag(help: "Write nothing for TensorBoard.")
    var noTensorboard = false
    @Flag(help: "Compute activations again in the backward pass: less memory, more time.")
    var recompute = false

    @Option(help: ArgumentHelp("Column of the text. (default: by the header)", valueName: "name"))
    var textColumn: String?
    @Option(help: ArgumentHelp("Column of the second text of a pair.", valueName: "name"))
    var pairColumn: String?
    @Option(help: ArgumentHelp("Column of the label, or several with commas between. (default: by the header)", valueName: "name"))
    var labelColumn: String?
    @Option(help: "classification, regression, multi-label, token-classification or masked-lm. (default: by the labels)")
    var task: String?
    @Option(help: "What a head reads of a sentence: cls, BERT's pooler on [CLS], or mean, over its tokens. (default: cls)")
    var pooling: String?
    @Option(parsing: .unconditional, help: "Share of a class's target that is spread over all classes. (default: 0)")
    var labelSmoothing: Double?
    @Option(
        parsing: .upToNextOption, help: ArgumentHelp("'balanced', or LABEL=WEIGHT for some labels, 1 for the others.", valueName: "weight"))
    var classWeights: [String] = []
    @Flag(help: "With masked-lm: hide all pieces of a word together.")
    var wholeWordMasking = false

    @Option(help: ArgumentHelp("Data of a source task, learned in the same steps: L = L_source + lambda L_target.", valueName: "file"))
    var sourceTrain: String?
    @Option(help: ArgumentHelp("Data of the source task scored after each epoch.", valueName: "file"))
    var sourceValidation: String?
    @Option(help: "classification, regression or masked-lm. (default: by the labels)")
    var sourceTask: String?
    @Option(parsing: .unconditional, help: "Samples in one global batch of the source task. (default: --batch-size)")
    var sourceBatchSize: Int?
    @Option(parsing: .unconditional, help: "Weight of the target task beside the source task. (default: 1)")
    var lambda: Double?
    @Option(parsing: .unconditional, help: "Its value in the last step, with a schedule that is not constant.")
    var lambdaEnd: Double?
    @Option(help: "constant, linear or cosine, from --lambda to --lambda-end. (default: constant)")
    var lambdaSchedule: String?
    @Option(parsing: .unconditional, help: ArgumentHelp("Encoder layers below the source head. (default: all)", valueName: "layers"))
    var sharedLayers: Int?
    @Option(help: ArgumentHelp("Column of the source task's text. (default: by the header)", valueName: "name"))
    var sourceTextColumn: String?
    @Option(help: ArgumentHelp("Column of its second text.", valueName: "name"))
    var sourcePairColumn: String?
    @Option(help: ArgumentHelp("Column of its label. (default: by the header)", valueName: "name"))
    var sourceLabelColumn: String?

    /// The options given, over those of `--config`, with defaults for the rest.
    func resolved() throws(ConfigurationError) -> TrainingConfiguration {
        let process = ProcessInfo.processInfo
        return try TrainingConfiguration.resolve(
            merged(), cores: process.activeProcessorCount, now: Date(), files: DefaultFiles(environment: process.environment))
    }

    /// The options given, over those of `--config`.
    func merged() throws(ConfigurationError) -> GivenOptions {
        try config.map { path throws(ConfigurationError) in given.over(try ConfigurationFile.read(path)) } ?? given
    }

    /// The same where this process can read the file: of an engine's ranks only the first must.
    var mergedWhereReadable: GivenOptions { (try? merged()) ?? given }

    var given: GivenOptions {
        var given = GivenOptions()
        given.give(.model, model)
        given.give(.train, train)
        given.give(.validation, validation)
        given.give(.test, test)
        given.give(.output, output)
        given.give(.epochs, epochs)
        given.give(.batchSize, batchSize)
        given.give(.learningRate, learningRate)
        given.give(.optimizer, optimizer)
        given.give(.weightDecay, weightDecay)
        given.give(.schedule, schedule)
        given.give(.warmupSteps, warmupSteps)
        given.give(.maxSteps, maxSteps)
        given.give(.maxGradNorm, maxGradNorm)
        given.give(.accumulate, accumulate)
        given.give(.maxLength, maxLength)
        given.give(.dropout, dropout)
        given.give(.seed, seed)
        given.give(.seeds, seeds)
        given.give(.metric, metric)
        given.give(.patience, patience)
        given.give(.lanes, lanes)
        given.give(.threads, threads)
        given.give(.freeze, freeze.isEmpty ? nil : freeze)
        given.give(.unfreezeEvery, unfreezeEvery)
        given.give(.layerDecay, layerDecay)
        given.give(.headLearningRate, headLearningRate)
        given.give(.reinitializeLayers, reinitializeLayers)
        given.give(.fromScratch, fromScratch ? true : nil)
        given.give(.addTokens, addTokens)
        given.give(.extendPositions, extendPositions ? true : nil)
        given.give(.loraRank, loraRank)
        given.give(.loraAlpha, loraAlpha)
        given.give(.loraTargets, loraTargets.isEmpty ? nil : loraTargets)
        given.give(.loraDropout, loraDropout)
        given.give(.checkpointEvery, checkpointEvery)
        given.give(.keep, keep)
        given.give(.resume, resume ? true : nil)
        given.give(.minWorkers, minWorkers)
        given.give(.maxRestarts, maxRestarts)
        given.give(.coordinatorTimeout, coordinatorTimeout)
        given.give(.heartbeatTimeout, heartbeatTimeout)
        given.give(.progressTimeout, progressTimeout)
        given.give(.insecure, insecure ? true : nil)
        given.give(.progress, progress)
        given.give(.noTensorboard, noTensorboard ? true : nil)
        given.give(.recompute, recompute ? true : nil)
        given.give(.textColumn, textColumn)
        given.give(.pairColumn, pairColumn)
        given.give(.labelColumn, labelColumn)
        given.give(.task, task)
        given.give(.pooling, pooling)
        given.give(.labelSmoothing, labelSmoothing)
        given.give(.classWeights, classWeights.isEmpty ? nil : classWeights)
        given.give(.wholeWordMasking, wholeWordMasking ? true : nil)
        given.give(.sourceTrain, sourceTrain)
        given.give(.sourceValidation, sourceValidation)
        given.give(.sourceTask, sourceTask)
        given.give(.sourceBatchSize, sourceBatchSize)
        given.give(.lambda, lambda)
        given.give(.lambdaEnd, lambdaEnd)
        given.give(.lambdaSchedule, lambdaSchedule)
        given.give(.sharedLayers, sharedLayers)
        given.give(.sourceTextColumn, sourceTextColumn)
        given.give(.sourcePairColumn, sourcePairColumn)
        given.give(.sourceLabelColumn, sourceLabelColumn)
        return given
    }
}
