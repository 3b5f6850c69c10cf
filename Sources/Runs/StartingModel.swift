internal import BERT
internal import Checkpoints
internal import Configuration
internal import Inputs
internal import Kernels
internal import Learning
internal import Tensors
internal import TextData
internal import Wording

/// The model before its first step: the source's weights, and new ones for what the source lacks.
struct StartingModel: Sendable {
    let model: BERTModel
    let parameters: FloatBuffer
    /// Patterns of parameters that are never trained: the requested ones, and those of only the target task if that
    /// has no weight.
    let freeze: [String]
    /// Parameters that are initialized at random.
    let initialized: [String]
    /// Elements of either moment when everything is trained that is not permanently frozen.
    let mostTrained: Int
    /// One line each.
    let notes: [String]

    init(
        _ configuration: TrainingConfiguration, _ source: SourceFolder, _ text: TextPipeline, _ data: RunData,
        _ loss: LossOptions, _ plan: TrainingPlan, role: RunRole
    ) throws {
        let shape = configuration.dropout.map(text.layer.shape.dropout) ?? text.layer.shape
        let head = data.target.head
        var freeze = configuration.freeze
        if plan.source?.lambda.isZero == true, let second = data.second {
            freeze += second.head.targetOnly(head, layers: shape.layers).filter { !freeze.contains($0) }
        }
        self.freeze = freeze
        var adapters = try configuration.adapters
        adapters?.trainsPooler =
            source.folder.tensor("bert.pooler.dense.weight") == nil
            && source.folder.tensor("pooler.dense.weight") == nil
        let (whole, frozen) = try Self.wholeModel(
            configuration, shape: shape, head: head, source: data.second?.head, loss: loss, freeze: freeze,
            adapters: adapters)
        model = try Self.begin(whole, configuration, frozen, freeze)
        mostTrained = whole.layout.stateCount
        try RunMemory.check(configuration, whole, data, plan, role)
        let names = data.target.outputNames
        let keepsHead =
            source.configuration.heads(in: source.folder).contains(head)
            && Self.outputs(head, names, areThoseOf: source.configuration)
        let loaded = try model.load(
            source.folder, keepsHead: keepsHead, seed: configuration.seed,
            forgetting: Self.forgotten(model, configuration), growing: true, forTrainingOf: whole.layout)
        if adapters == nil { try Self.needKnownValues(configuration, whole, initialized: loaded.initialized) }
        parameters = loaded.parameters
        if !configuration.fromScratch { text.layer.begin(model, parameters, source: source.configuration.shape) }
        initialized = loaded.initialized.filter { !BERTModel.isSourceHead($0) }
        notes =
            Self.describe(loaded, initialized, head.described(names), model)
            + [
                keepsHead ? source.configuration.contradiction : nil,
                Self.untrained(text.layer.words?.words.count ?? 0, whole),
                try Self.unreached(configuration, whole, first: model, freeze, plan),
            ].compactMap { $0 }
    }

    /// Whether the outputs of a head have the same meaning and order as the source model's.
    private static func outputs(_ head: Head, _ names: [String]?, areThoseOf source: BERTConfiguration) -> Bool {
        guard case .regression(let targets, _) = head else {
            return names == nil || names == source.labels(count: names?.count ?? 0)
        }
        return targets == 1 || names == nil || !source.namesOutputs || names == source.labels
    }

    /// What is newly initialized, and what is not used, one line each.
    private static func describe(_ loaded: LoadedWeights, _ initialized: [String], _ head: String, _ model: BERTModel)
        -> [String]
    {
        var lines: [String] = []
        if !initialized.isEmpty {
            let names = Set(initialized)
            let values = model.layout.entries.filter { names.contains($0.name) }.reduce(0) { $0 + $1.count }
            let which =
                initialized.count > RunInputs.mostNames
                ? "\(counted(initialized.count, "tensor")) with \(grouped(values)) parameters, listed "
                    + "in \(RunInputs.parametersFile)"
                : initialized.joined(separator: ", ")
            lines.append("newly initialized for \(head): \(which)")
        }
        if !loaded.unexpected.isEmpty {
            let shown = loaded.unexpected.prefix(6).joined(separator: ", ")
            lines.append(
                "unused in the source model: "
                    + "\(shown)\(loaded.unexpected.count > 6 ? " and \(loaded.unexpected.count - 6) more" : "")"
            )
        }
        return lines
    }
}
