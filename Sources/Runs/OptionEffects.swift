internal import BERT
internal import Configuration
internal import Kernels
internal import Learning
internal import Tensors
internal import Wording

extension StartingModel {
    /// The model with all that is ever trained, and the patterns of the frozen rest.
    ///
    /// - Parameters:
    ///   - freeze: patterns of parameters that are never trained.
    ///   - adapters: as the source model needs them.
    /// - Throws: ``InputError`` if two options cancel each other for this model.
    static func wholeModel(
        _ configuration: TrainingConfiguration, shape: BERTShape, head: Head, source: SourceHead?, loss: LossOptions,
        freeze: [String], adapters: LoRA?
    ) throws(InputError) -> (model: BERTModel, frozen: FrozenParameters) {
        try configuration.metric?.check(head)
        let frozen = try FrozenParameters(freeze, lora: adapters)
        let model = BERTModel(
            shape: shape, head: head, source: source, loss: loss, lora: adapters, precision: configuration.precision,
            isFrozen: frozen.contains)
        try frozen.check(model)
        try needEffect(configuration, model)
        return (model, frozen)
    }

    /// Refuses an option about parameters that another option freezes: it would change nothing.
    private static func needEffect(_ configuration: TrainingConfiguration, _ model: BERTModel) throws(InputError) {
        let layers = model.shape.layers
        let trained = model.layout.entries.filter { $0.gradientOffset != nil }.map(\.name)
        func need(_ option: String, _ holds: Bool, _ what: String) throws(InputError) {
            guard !holds else { return }
            throw InputError("\(option) is about \(what), which --freeze keeps unchanged: leave one out")
        }
        if let lora = model.lora {
            try need("--lora-rank", trained.contains { $0.hasSuffix(".lora_B.weight") }, "adapters")
            try FrozenAdapters(model, lora).check(lora)
        }
        let hasTrainedLayer = trained.contains { model.depth(of: $0) <= layers }
        try need("--unfreeze-every", configuration.unfreezeEvery == nil || hasTrainedLayer, "encoder layers")
        try need("--layer-decay", configuration.layerDecay == 1 || hasTrainedLayer, "encoder layers")
        try need(
            "--head-learning-rate",
            configuration.headLearningRate == nil || trained.contains { model.depth(of: $0) > layers + 1 },
            "the head's parameters")
    }

    /// Refuses to freeze randomly initialized values.
    /// - Parameter initialized: names of parameters that are initialized at random.
    static func needKnownValues(_ configuration: TrainingConfiguration, _ whole: BERTModel, initialized: [String])
        throws(InputError)
    {
        let asked = try FrozenParameters(configuration.freeze)
        guard let name = initialized.first(where: asked.contains) else { return }
        let reason =
            configuration.reinitializeLayers > 0 && name.hasPrefix("bert.")
            ? "--reinitialize-layers discards it" : "the source model has no such head"
        throw InputError("--freeze would keep \(name) at random values, since \(reason): leave it to be trained")
    }
}
