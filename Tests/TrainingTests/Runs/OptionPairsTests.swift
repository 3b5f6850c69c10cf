internal import BERT
internal import Foundation
internal import Kernels
internal import Tensors
internal import Testing

@testable internal import Configuration
@testable internal import Runs
@testable internal import Wording

/// Which options exclude each other: every pair is tried, and no pair but those of the table is refused.
@Suite struct OptionPairsTests {
    /// An option with one of its values, and other options without which it means nothing.
    struct Setting: Sendable, CustomStringConvertible {
        let key: TrainingConfiguration.Key
        let value: String
        var needs: [(TrainingConfiguration.Key, String)] = []

        init(_ key: TrainingConfiguration.Key, _ value: String, needs: (TrainingConfiguration.Key, String)...) {
            self.key = key
            self.value = value
            self.needs = needs
        }

        var description: String { "\(key.rawValue)=\(value)" }
    }

    private static let source = (TrainingConfiguration.Key.sourceTrain, "/s.tsv")
    private static let scored = (TrainingConfiguration.Key.validation, "/v.tsv")
    private static let rank = (TrainingConfiguration.Key.loraRank, "2")

    /// All options but the model and the data, which every run has, and `--resume`, which brings those of a saved run.
    static let settings: [Setting] = [
        .init(.validation, "/v.tsv"), .init(.validationSplit, "0.1"), .init(.test, "/t.tsv"), .init(.output, "/runs/x"),
        .init(.epochs, "0.5"),
        .init(.batchSize, "8"),
        .init(.learningRate, "1e-4"), .init(.learningRate, "0"), .init(.optimizer, "adamw"), .init(.weightDecay, "0.1"),
        .init(.schedule, "linear"),
        .init(.warmupSteps, "0.1"), .init(.maxSteps, "5"), .init(.maxGradNorm, "1"), .init(.accumulate, "2"),
        .init(.maxLength, "16"),
        .init(.dropout, "0.2"), .init(.seed, "3"), .init(.seeds, "0,1"), .init(.metric, "loss", needs: scored),
        .init(.metric, "macro-f1", needs: scored), .init(.metric, "pearson", needs: scored, (.task, "regression")),
        .init(.metric, "entity-f1", needs: scored, (.task, "token-classification")),
        .init(.patience, "2", needs: scored),
        .init(.evalEvery, "2", needs: scored), .init(.lanes, "2"), .init(.threads, "2"), .init(.freeze, "embeddings"),
        .init(.freeze, "encoder"),
        .init(.freeze, "pooler"), .init(.freeze, "classifier"), .init(.freeze, "layers 2"), .init(.unfreezeEvery, "1"),
        .init(.layerDecay, "0.9"),
        .init(.headLearningRate, "1e-3"), .init(.reinitializeLayers, "1"), .init(.fromScratch, "true"),
        .init(.addTokens, "/w.txt"),
        .init(.extendPositions, "true"), .init(.loraRank, "2"), .init(.loraAlpha, "4", needs: rank),
        .init(.loraTargets, "key", needs: rank),
        .init(.loraDropout, "0.1", needs: rank), .init(.checkpointEvery, "3"), .init(.keep, "1"),
        .init(.minWorkers, "2"), .init(.maxRestarts, "0"),
        .init(.coordinatorTimeout, "5"), .init(.heartbeatTimeout, "5"), .init(.progressTimeout, "5"),
        .init(.insecure, "true"),
        .init(.recompute, "true"), .init(.blas, "openblas"), .init(.precision, "bf16"), .init(.progress, "plain"),
        .init(.noTensorboard, "true"),
        .init(.inputFormat, "csv"), .init(.textColumn, "a"), .init(.pairColumn, "b"), .init(.labelColumn, "c"),
        .init(.task, "classification"),
        .init(.task, "regression"), .init(.task, "multi-label"), .init(.task, "token-classification"),
        .init(.task, "masked-lm"),
        .init(.pooling, "mean"), .init(.labelSmoothing, "0.1"), .init(.classWeights, "balanced"),
        .init(.wholeWordMasking, "true", needs: (.task, "masked-lm")), .init(.sourceTrain, "/s.tsv"),
        .init(.sourceValidation, "/u.tsv", needs: source),
        .init(.sourceTask, "classification", needs: source), .init(.sourceTask, "masked-lm", needs: source),
        .init(.sourceBatchSize, "4", needs: source),
        .init(.lambda, "0.5", needs: source), .init(.lambda, "0", needs: source),
        .init(.lambdaSchedule, "linear", needs: source, (.lambdaEnd, "2")),
        .init(.lambdaEnd, "2", needs: source, (.lambdaSchedule, "linear")), .init(.sharedLayers, "1", needs: source),
        .init(.sourceTextColumn, "d", needs: source), .init(.sourcePairColumn, "e", needs: source),
        .init(.sourceLabelColumn, "f", needs: source),
    ]

    /// The pairs that are refused; a name without a value stands for all values of the table above.
    static let excluded: [(String, String)] = [
        ("epochs", "unfreeze-every"), ("seed", "seeds"), ("validation", "validation-split"),
        ("learning-rate=0", "head-learning-rate"), ("blas", "precision"),
        // What has no source values cannot keep them.
        ("from-scratch", "freeze"), ("from-scratch", "unfreeze-every"), ("from-scratch", "reinitialize-layers"),
        ("from-scratch", "lora-rank"),
        ("reinitialize-layers", "lora-rank"), ("reinitialize-layers", "freeze=layers 2"),
        ("reinitialize-layers", "freeze=encoder"),
        ("reinitialize-layers", "freeze=pooler"),
        // What is frozen is not let in, slowed, adapted or hurried.
        ("freeze=encoder", "unfreeze-every"), ("freeze=encoder", "layer-decay"), ("freeze=encoder", "lora-rank"),
        ("freeze=classifier", "head-learning-rate"),
        // What the task's model does not have.
        ("freeze=pooler", "pooling"), ("freeze=pooler", "task=token-classification"),
        ("freeze=pooler", "task=masked-lm"),
        ("freeze=classifier", "task=masked-lm"), ("pooling", "task=token-classification"),
        ("pooling", "task=masked-lm"),
        ("label-smoothing", "task=regression"), ("label-smoothing", "task=multi-label"),
        ("class-weights", "task=regression"),
        ("class-weights", "task=multi-label"), ("class-weights", "task=masked-lm"),
        ("whole-word-masking", "task=classification"),
        ("whole-word-masking", "task=regression"), ("whole-word-masking", "task=multi-label"),
        ("whole-word-masking", "task=token-classification"),
        ("pair-column", "task=token-classification"), ("pair-column", "task=masked-lm"),
        ("label-column", "task=masked-lm"),
        ("metric=macro-f1", "task=regression"), ("metric=macro-f1", "task=masked-lm"),
        ("metric=pearson", "task=classification"),
        ("metric=pearson", "task=multi-label"), ("metric=pearson", "task=token-classification"),
        ("metric=pearson", "task=masked-lm"),
        ("metric=entity-f1", "task=classification"), ("metric=entity-f1", "task=regression"),
        ("metric=entity-f1", "task=multi-label"),
        ("metric=entity-f1", "task=masked-lm"), ("source-task=masked-lm", "source-pair-column"),
        ("source-task=masked-lm", "source-label-column"),
    ]

    @Test func `the table has every option`() {
        let outside: Set<TrainingConfiguration.Key> = [.model, .train, .resume]
        #expect(Set(Self.settings.map(\.key)).union(outside) == Set(TrainingConfiguration.Key.allCases))
    }

    @Test(arguments: settings)
    func `an option by itself is taken`(setting: Setting) throws { try check(Self.options(setting, nil)) }

    @Test(arguments: settings.indices)
    func `of two options that exclude each other one is refused, and of no others`(index: Int) {
        let one = Self.settings[index]
        for other in Self.settings[(index + 1)...] where other.key != one.key {
            let options = Self.options(one, other)
            let isExcluded = Self.excluded.contains { first, second in
                options.contains { Self.matches($0, first) } && options.contains { Self.matches($0, second) }
            }
            do {
                try check(options)
                #expect(!isExcluded, "\(one) with \(other) is taken")
            } catch {
                #expect(isExcluded, "\(one) with \(other): \(error)")
                #expect(error is ConfigurationError || error is InputError, "\(error)")
            }
        }
    }

    private static func options(_ one: Setting, _ other: Setting?) -> [(TrainingConfiguration.Key, String)] {
        let asked = [(one.key, one.value)] + (other.map { [($0.key, $0.value)] } ?? [])
        var options = asked
        let isSplit = asked.contains { $0.0 == .validationSplit }
        for need in one.needs + (other?.needs ?? []) where !options.contains(where: { $0.0 == need.0 }) {
            if need.0 == .validation, isSplit { continue }  // the split is one
            options.append(need)
        }
        return options
    }

    private static func matches(_ option: (TrainingConfiguration.Key, String), _ name: String) -> Bool {
        name == option.0.rawValue || name == "\(option.0.rawValue)=\(option.1)"
    }

    /// As a run does it, with a model that has no values.
    private func check(_ options: [(TrainingConfiguration.Key, String)]) throws {
        var given = GivenOptions()
        given.give(.model, "/m")
        given.give(.train, "/t.tsv")
        for (key, value) in options { given.give(key, ConfigurationValue.text(value)) }
        var configuration = try TrainingConfiguration.resolve(
            given, cores: 1, now: Date(), files: DefaultFiles(cache: "/nowhere"))
        let task = configuration.task ?? .classification
        configuration.task = task
        try configuration.validate()
        let head: Head =
            switch task {
            case .classification: .classification(labels: 2, pooling: configuration.pooling)
            case .regression: .regression(targets: 1, pooling: configuration.pooling)
            case .multiLabel: .multiLabel(labels: 2, pooling: configuration.pooling)
            case .tokenClassification: .tokenClassification(labels: 3)
            case .maskedLM: .maskedLanguageModel
            }
        let sourceHead: Head = configuration.sourceTask == .maskedLM ? .maskedLanguageModel : .classification(labels: 2)
        let source = configuration.sourceTrain.map { _ in
            SourceHead(head: sourceHead, sharedLayers: configuration.sharedLayers ?? 3)
        }
        let (whole, frozen) = try StartingModel.wholeModel(
            configuration, shape: Self.shape, head: head, source: source, loss: LossOptions(),
            freeze: configuration.freeze,
            adapters: try configuration.adapters)
        let first = try StartingModel.begin(whole, configuration, frozen, configuration.freeze)
        let forgotten = StartingModel.forgotten(first, configuration)
        try StartingModel.needKnownValues(
            configuration, whole, initialized: whole.layout.entries.map(\.name).filter(forgotten))
    }

    private static let shape = BERTShape(
        vocabulary: 8, width: 4, layers: 3, heads: 2, feedForward: 8, positions: 16, types: 2, epsilon: 1e-12,
        activation: .gelu, hiddenDropout: 0,
        attentionDropout: 0, headDropout: 0, initializerRange: 0.02)
}
