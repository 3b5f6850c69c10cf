package import BERT
package import Checkpoints
package import Configuration
package import Files
internal import Foundation
internal import Inputs
internal import Kernels
package import Learning
internal import Processes
package import Tensors
package import TextData
internal import Wording

/// Model and data of a run, read, checked and tokenized; nothing has been written yet.
package struct RunInputs: Sendable {
    /// With `lanes` and `task` decided.
    package let configuration: TrainingConfiguration
    package let source: BERTConfiguration
    /// The source model's config.json.
    package let sourceJSON: JSONValue
    /// The required contents of the trained model's tokenizer_config.json.
    package let tokenizerSettings: JSONValue
    package let model: BERTModel
    /// Elements of either moment when everything is trained that is not permanently frozen.
    private let mostTrained: Int
    package let parameters: FloatBuffer
    package let datasets: [Split: TokenizedDataset]
    /// By the names of the splits.
    package let statistics: [String: DataStatistics]
    /// Words added to the tokenizer.
    package let words: [AddedWords.Word]
    /// All that the tokenizer adds to its vocabulary.
    package let addedTokens: [ModelExport.AddedToken]
    /// Absent for regression and masked-LM.
    package let labels: LabelSet?
    /// Names of the head's outputs; nil if they have none.
    package let outputNames: [String]?
    /// The columns of the training data.
    package let columns: ColumnNames
    package let plan: TrainingPlan
    /// What decides which model is the best; nil: accuracy, or the loss if there is no accuracy. Tagged entities have
    /// F1.
    package let metric: Measure?
    package let schedule: LearningRateSchedule
    package let optimizer: OptimizerSettings
    /// Patterns of parameters that are never trained, as for `--freeze`: the requested ones, and those of only the
    /// target task if that has no weight.
    package let freeze: [String]
    /// First lines, in the training files, of the rows held out for validation.
    package let heldOut: [String]
    /// SHA-256 of each data file.
    package let digests: [String: String]
    /// SHA-256 of each file of the source model's folder.
    package let modelDigests: [String: String]
    /// SHA-256 of the names of both tasks' labels.
    package let labelsDigest: String
    /// Notes for the user before the first step, one line each.
    package let notes: [String]
    /// Descriptions of the data, one line each.
    package let dataNotes: [String]
    /// Notes only for a run that begins at its first step, one line each.
    package let beginningNotes: [String]
    /// Parameters that are initialized at random.
    package let initialized: [String]

    /// Reads and checks in stages, each of which needs those before it: the source model, the tokenizer, the data of
    /// the target task and of the second one, the plan, and the model before its first step.
    /// - Parameter role: decides how much memory this process needs.
    package init(_ given: TrainingConfiguration, role: RunRole = .alone) throws {
        var configuration = given
        let folder = try SourceFolder(configuration.model)
        let text = try TextPipeline(configuration, folder)
        configuration.maxLength = text.layer.maxLength
        let target = try TaskData(ofTarget: configuration, folder.configuration, text.layer.tokenizer)
        configuration.task = target.task
        let doubts = try target.doubts(given)
        try configuration.validate(findsTask: given.task == nil)
        let second = try SourceTask(configuration, text.layer.tokenizer, layers: folder.configuration.shape.layers)
        let data = try RunData(target, second, configuration, source: folder.configuration.shape)
        configuration.lanes = configuration.laneCount
        let loss = try LossOptions(configuration, data)
        plan = TrainingPlan(configuration, data, loss)
        let start = try StartingModel(configuration, folder, text, data, loss, plan, role: role)

        self.configuration = configuration
        source = folder.configuration
        sourceJSON = folder.json
        tokenizerSettings = text.settings
        words = text.layer.words?.words ?? []
        addedTokens = text.addedTokens
        labels = target.labels
        outputNames = target.outputNames
        columns = target.columns
        heldOut = target.heldOut
        datasets = data.datasets
        statistics = data.statistics
        digests = data.digests
        labelsDigest = data.labelsDigest
        dataNotes = data.descriptions
        freeze = start.freeze
        model = start.model
        parameters = start.parameters
        initialized = start.initialized
        mostTrained = start.mostTrained
        beginningNotes = start.notes
        let hasEntities = target.task == .tokenClassification && EntityScores.areTags(labels?.names ?? [])
        metric = configuration.metric ?? (hasEntities ? .entityF1 : nil)
        schedule = LearningRateSchedule(configuration, totalSteps: plan.totalSteps)
        optimizer = OptimizerSettings(configuration, plan, layers: start.model.shape.layers)
        let noted: [[String]] = [
            text.layer.notes, doubts, target.heldOutNotes(configuration), target.notes, second?.data.notes ?? [],
            Self.doubts(configuration, plan), try FrozenAdapters.notes(configuration, model),
            Self.taskNotes(data, plan, layers: start.model.shape.layers),
            [Self.describeFeatures(model, datasets)].compactMap { $0 },
        ]
        notes = noted.flatMap { $0 }
        modelDigests = try folder.digests.value()
        try checkExportedSize()
    }

    /// Refuses labels that make a configuration too long to be read again.
    private func checkExportedSize() throws(InputError) {
        let size = exportedConfiguration.text.utf8.count
        guard size <= ModelFolder.longestJSON else {
            throw InputError(
                "the labels make the model's config.json \(size >> 20) MiB long, at most "
                    + "\(ModelFolder.longestJSON >> 20) MiB are read: "
                    + "is --label-column the column of the labels?")
        }
    }

    /// How the model is scored, and what its source task is.
    private static func taskNotes(_ data: RunData, _ plan: TrainingPlan, layers: Int) -> [String] {
        var notes: [String] = []
        if data.datasets[.validation] == nil {
            notes.append(
                "not scored during training, and the last weights are the result: --validation FILE changes that")
        }
        if let second = data.second {
            notes.append(
                "source task: \(second.data.head.described(second.data.outputNames)), on the lower "
                    + "\(second.head.sharedLayers) of \(layers) layers, "
                    + "in batches of \(counted(plan.source?.batchSize ?? 0, "sample"))")
        }
        return notes
    }

    /// Most names in a line; more are counted, and listed in ``parametersFile``.
    static let mostNames = 4

    /// In the run's folder: each parameter, its size, and how it is initialized.
    package static let parametersFile = "parameters.tsv"

    /// Whether lines omit names that ``parametersFile`` has.
    package var needsParametersFile: Bool {
        initialized.count > Self.mostNames || model.layout.stateCount < model.layout.count
    }

    /// Samples of an evaluation during training, and those scored once at the end.
    var scoredCounts: (each: Int, end: Int) {
        func count(_ splits: Split...) -> Int { splits.reduce(0) { $0 + (datasets[$1]?.count ?? 0) } }
        return (count(.validation, .sourceValidation), count(.test))
    }

    /// Samples of all data files that were truncated to --max-length.
    package var truncatedCount: Int { datasets.values.reduce(0) { $0 + $1.truncatedCount } }

    /// Bytes of the weights, without which a run has no result. A checkpoint that cannot be written does not end a run.
    package var weightBytes: Int { model.layout.count * MemoryLayout<Float>.stride }

    /// Bytes of one checkpoint: weights and two moments, once all is trained that will be.
    package var checkpointBytes: Int { (model.layout.count + 2 * mostTrained) * MemoryLayout<Float>.stride }
}
