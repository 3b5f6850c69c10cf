internal import ArgumentParser
internal import Configuration

/// How the source model is used: what is kept, what is adapted, and a source task beside the target task.
struct TransferOptions: ParsableArguments {
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Parameters that keep their source values: embeddings, encoder, pooler, classifier, 'layers 0-3', or names "
                + "with *.",
            valueName: "pattern"))
    var freeze: [String] = []
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Gradual unfreezing: epochs after which one more layer is trained, from the top. (default: all at once)",
            valueName: "epochs"))
    var unfreezeEvery: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Factor on the learning rate from each layer to the one below. (default: 1)", valueName: "factor"))
    var layerDecay: Double?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Learning rate of the new head. (default: --learning-rate)", valueName: "rate"))
    var headLearningRate: Double?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Top encoder layers to initialize at random, with the pooler. (default: 0)", valueName: "layers"))
    var reinitializeLayers: Int?
    @Flag(help: "Start from random weights in the source model's shape.")
    var fromScratch = false
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Train adapters of this rank instead of the source's weights.", valueName: "rank"))
    var loraRank: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Scale of an adapter's product: alpha / rank. (default: 8)", valueName: "alpha"))
    var loraAlpha: Double?
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Products with adapters: query, key, value, attention.output, intermediate, output. (default: query value)",
            valueName: "name"))
    var loraTargets: [String] = []
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Dropout of the adapters' inputs. (default: 0)", valueName: "probability"))
    var loraDropout: Double?

    @Option(
        help: ArgumentHelp(
            "Data of a source task, learned in the same steps: L = L_source + lambda L_target.", valueName: "file"))
    var sourceTrain: String?
    @Option(help: ArgumentHelp("Data of the source task scored after each epoch.", valueName: "file"))
    var sourceValidation: String?
    @Option(
        help: ArgumentHelp(
            "Task of the source data: classification, regression or masked-lm. (default: by the labels)",
            valueName: "name"))
    var sourceTask: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Samples in one global batch of the source task. (default: --batch-size)", valueName: "samples"))
    var sourceBatchSize: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Weight of the target task relative to the source task. (default: 1)", valueName: "weight"))
    var lambda: Double?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Value of lambda in the last step, if its schedule is not constant.", valueName: "weight"))
    var lambdaEnd: Double?
    @Option(
        help: ArgumentHelp(
            "Schedule from --lambda to --lambda-end: constant, linear or cosine. (default: constant)", valueName: "name"
        ))
    var lambdaSchedule: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Encoder layers below the source head. (default: all)", valueName: "layers"))
    var sharedLayers: Int?
    @Option(help: ArgumentHelp("Column of the source task's text. (default: by the header)", valueName: "name"))
    var sourceTextColumn: String?
    @Option(help: ArgumentHelp("Column of the source task's second text.", valueName: "name"))
    var sourcePairColumn: String?
    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("Column of the source task's label, or several. (default: by the header)", valueName: "name")
    )
    var sourceLabelColumn: [String] = []

    func give(to given: inout GivenOptions) {
        given.give(.freeze, freeze.isEmpty ? nil : freeze)
        given.give(.unfreezeEvery, unfreezeEvery)
        given.give(.layerDecay, layerDecay)
        given.give(.headLearningRate, headLearningRate)
        given.give(.reinitializeLayers, reinitializeLayers)
        given.give(.fromScratch, fromScratch ? true : nil)
        given.give(.loraRank, loraRank)
        given.give(.loraAlpha, loraAlpha)
        given.give(.loraTargets, loraTargets.isEmpty ? nil : loraTargets)
        given.give(.loraDropout, loraDropout)
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
        given.give(.sourceLabelColumn, sourceLabelColumn.isEmpty ? nil : sourceLabelColumn)
    }
}
