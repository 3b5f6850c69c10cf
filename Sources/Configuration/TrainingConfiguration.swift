package import BERT
package import Console
package import Kernels
package import Learning
package import TextData

/// All options of a training run with their values.
///
/// Made of the given options by `TrainingConfiguration.resolve`, of the module Runs, and saved with the run as
/// `config.yaml`. Flags of the command line and keys of a file are the raw values of ``Key``.
package struct TrainingConfiguration: Codable, Equatable, Sendable {
    /// What is learned; the names are those of `--task`.
    package enum TargetTask: String, Codable, CaseIterable, Sendable {
        case classification, regression
        case multiLabel = "multi-label"
        case tokenClassification = "token-classification"
        case maskedLM = "masked-lm"
    }

    /// Folder of the source model, or its name on a hub until its folder is found.
    package var model: String
    package var train: String
    /// File scored after each epoch; nil: none.
    package var validation: String?
    /// Share of the training rows to hold out, which are scored after each epoch; nil: none.
    package var validationSplit: Double?
    /// File scored once, at the end; nil: none.
    package var test: String?
    /// Folder of the run.
    package var output: String
    package var epochs: EpochCount = 3
    /// Samples in one global batch, over all workers together.
    package var batchSize: Int = 32
    package var learningRate: Double = 5e-5
    package var optimizer: OptimizerSettings.Kind = .adam
    package var weightDecay: Double = 0
    package var schedule: LearningRateSchedule.Shape = .constant
    package var warmupSteps: WarmupLength = 0
    /// Optimizer steps after which the run ends; nil: `epochs` decides.
    package var maxSteps: Int?
    /// Global gradient norm above which a gradient is scaled down; nil: no clipping.
    package var maxGradNorm: Double?
    /// Global batches in one optimizer step.
    package var accumulate: Int = 1
    /// Most tokens of a sample including [CLS] and [SEP]; longer ones are truncated. Nil until the model is known:
    /// ``usualMaxLength``, or as many as the model has positions for.
    package var maxLength: Int?
    /// Probability of both dropouts; nil: as in the model's config.json.
    package var dropout: Double?
    package var seed: UInt64 = 0
    /// Seeds of several runs, separated by commas; nil: one run, of ``seed``.
    package var seeds: String?
    /// The metric that selects the best model; nil: accuracy, or the loss if there is none.
    package var metric: Measure?
    /// Evaluations without improvement after which the run ends; nil: all epochs are run.
    package var patience: Int?
    /// Steps between evaluations, in addition to those after each epoch; nil: only those.
    package var evalEvery: Int?
    /// Fixed parts of a global batch; nil until a run is formed: ``LaneCount`` decides.
    package var lanes: Int?
    /// The provider of matrix products.
    package var blas: BLAS = .own
    /// Of the encoder's products.
    package var precision: Precision = .float32
    /// Threads of one worker.
    package var threads: Int
    /// Patterns of the names of parameters that keep their source values.
    package var freeze: [String] = []
    /// Epochs after which one more layer is trained, from the top; nil: all from the start.
    package var unfreezeEvery: Int?
    /// Factor on the learning rate from each layer to the one below.
    package var layerDecay: Double = 1
    /// Learning rate of the new head; nil: that of the rest.
    package var headLearningRate: Double?
    /// Encoder layers, from the top, that are initialized at random, with the pooler.
    package var reinitializeLayers: Int = 0
    /// Whether all weights are initialized at random, in the source model's shape.
    package var fromScratch: Bool = false
    /// File of words, one per line, to add to the tokenizer and the word table; nil: none.
    package var addTokens: String?
    /// Whether the position table grows if `maxLength` exceeds it.
    package var extendPositions: Bool = false
    /// Rank of the adapters that are trained instead of the source weights; nil: no adapters.
    package var loraRank: Int?
    package var loraAlpha: Double?
    /// The products that have adapters, by name; empty: query and value, as in PEFT.
    package var loraTargets: [String] = []
    package var loraDropout: Double?
    /// Steps between checkpoints; nil: only after each epoch.
    package var checkpointEvery: Int?
    /// Checkpoints to keep; nil: two during the run, and the newest after its end. 0: one, and none after the end.
    package var keep: Int?
    package var resume: Bool = false
    /// The run waits while it has fewer workers.
    package var minWorkers: Int = 1
    /// Replacements for one worker within 10 minutes.
    package var maxRestarts: Int = 3
    /// Seconds that a worker waits for a lost coordinator.
    package var coordinatorTimeout: Int = 60
    /// Seconds of silence after which a process counts as lost.
    package var heartbeatTimeout: Int = 3
    /// Seconds after which a worker that answers but makes no progress counts as lost; 20 usual steps if that is
    /// longer.
    package var progressTimeout: Int = 30
    package var insecure: Bool = false
    /// How progress is shown.
    package var progress: ProgressMode = .auto
    /// Whether to write nothing for TensorBoard.
    package var noTensorboard: Bool = false
    /// Whether the backward pass recomputes activations instead of keeping them.
    package var recompute: Bool = false
    /// How the target task's data files are read; nil: detected from names and first lines.
    package var inputFormat: DataFormat?
    /// Column of the text, of a second text, of the label; nil: chosen by the names in the file.
    package var textColumn: String?
    package var pairColumn: String?
    package var labelColumn: String?
    /// What the head learns; nil: inferred from the labels.
    package var task: TargetTask?
    /// How a head pools a sentence into one vector.
    package var pooling: Head.Pooling = .cls
    /// Share of a class's target that is spread evenly over all classes.
    package var labelSmoothing: Double = 0
    /// `balanced`, or LABEL=WEIGHT for some labels, 1 for the others; empty: 1 each.
    package var classWeights: [String] = []
    /// Whether masked-LM hides a word's tokens together.
    package var wholeWordMasking: Bool = false
    /// Data of a source task that is learned in the same steps; nil: none.
    package var sourceTrain: String?
    /// Scored after each epoch; nil: none.
    package var sourceValidation: String?
    /// What the source head learns; nil: inferred from the labels.
    package var sourceTask: TargetTask?
    /// Samples in one global batch of the source task; nil: the same as for the target task.
    package var sourceBatchSize: Int?
    /// The target task's weight relative to the source task.
    package var lambda: Double = 1
    /// Lambda in the last step, if it changes.
    package var lambdaEnd: Double?
    package var lambdaSchedule: LearningRateSchedule.Shape = .constant
    /// Encoder layers below the source head; nil: all of them.
    package var sharedLayers: Int?
    package var sourceTextColumn: String?
    package var sourcePairColumn: String?
    package var sourceLabelColumn: String?

    package static let usualMaxLength = 128

    /// Whether a run has data to score after each epoch.
    package var hasValidation: Bool { validation != nil || validationSplit != nil }

    /// Most tokens of a sample, once the model is known.
    package var lengthLimit: Int { maxLength ?? Self.usualMaxLength }

    /// Whether a step's update depends on how many steps the run has: a longer run then has different bits from the
    /// start.
    package var dependsOnTotalSteps: Bool {
        schedule != .constant || warmupSteps.dependsOnTotal || (sourceTrain != nil && lambdaSchedule != .constant)
    }

    package init(model: String, train: String, output: String, threads: Int) {
        self.model = model
        self.train = train
        self.output = output
        self.threads = threads
    }
}

extension TrainingConfiguration {
    /// Names of the options: flags without their two dashes, keys of a file.
    package enum Key: String, CodingKey, CaseIterable, Sendable {
        case model, train, validation
        case validationSplit = "validation-split"
        case test, output, epochs
        case batchSize = "batch-size"
        case learningRate = "learning-rate"
        case optimizer
        case weightDecay = "weight-decay"
        case schedule
        case warmupSteps = "warmup-steps"
        case maxSteps = "max-steps"
        case maxGradNorm = "max-grad-norm"
        case accumulate
        case maxLength = "max-length"
        case dropout, seed, seeds, metric, patience
        case evalEvery = "eval-every"
        case lanes, blas, precision, threads, freeze
        case unfreezeEvery = "unfreeze-every"
        case layerDecay = "layer-decay"
        case headLearningRate = "head-learning-rate"
        case reinitializeLayers = "reinitialize-layers"
        case fromScratch = "from-scratch"
        case addTokens = "add-tokens"
        case extendPositions = "extend-positions"
        case loraRank = "lora-rank"
        case loraAlpha = "lora-alpha"
        case loraTargets = "lora-targets"
        case loraDropout = "lora-dropout"
        case checkpointEvery = "checkpoint-every"
        case keep, resume
        case minWorkers = "min-workers"
        case maxRestarts = "max-restarts"
        case coordinatorTimeout = "coordinator-timeout"
        case heartbeatTimeout = "heartbeat-timeout"
        case progressTimeout = "progress-timeout"
        case insecure, progress
        case noTensorboard = "no-tensorboard"
        case recompute
        case inputFormat = "input-format"
        case textColumn = "text-column"
        case pairColumn = "pair-column"
        case labelColumn = "label-column"
        case task, pooling
        case labelSmoothing = "label-smoothing"
        case classWeights = "class-weights"
        case wholeWordMasking = "whole-word-masking"
        case sourceTrain = "source-train"
        case sourceValidation = "source-validation"
        case sourceTask = "source-task"
        case sourceBatchSize = "source-batch-size"
        case lambda
        case lambdaEnd = "lambda-end"
        case lambdaSchedule = "lambda-schedule"
        case sharedLayers = "shared-layers"
        case sourceTextColumn = "source-text-column"
        case sourcePairColumn = "source-pair-column"
        case sourceLabelColumn = "source-label-column"

        package var flag: String { "--\(rawValue)" }
    }

    package typealias CodingKeys = Key
}
