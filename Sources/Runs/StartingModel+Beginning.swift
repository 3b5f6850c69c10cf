internal import BERT
internal import Configuration
internal import Learning
internal import Tensors
internal import Wording

extension StartingModel {
    /// The model as the first step trains it.
    /// - Parameter freeze: the patterns of `frozen`.
    static func begin(
        _ model: BERTModel, _ configuration: TrainingConfiguration, _ frozen: FrozenParameters, _ freeze: [String]
    ) throws(InputError) -> BERTModel {
        let layers = model.shape.layers
        guard configuration.reinitializeLayers <= layers else {
            throw InputError(
                "--reinitialize-layers is \(configuration.reinitializeLayers), the model has \(layers) encoder "
                    + "layers: lower it"
            )
        }
        if configuration.reinitializeLayers > 0 {
            for layer in (layers - configuration.reinitializeLayers)..<layers {
                let name = "bert.encoder.layer.\(layer).output.dense.weight"
                guard !frozen.contains(name) else {
                    throw InputError(
                        "--reinitialize-layers \(configuration.reinitializeLayers) and --freeze would freeze layer "
                            + "\(layer) at random values: leave one out"
                    )
                }
            }
        }
        guard let every = configuration.unfreezeEvery else { return model }
        let patterns = freeze + Unfreezing(every: every, layers: layers).frozen(inEpoch: 1)
        let first = model.freezing(try FrozenParameters(patterns, lora: model.lora).contains)
        guard first.layout.stateCount > 0 else {
            throw InputError(
                "--unfreeze-every begins with only pooler and head, and --freeze names them: leave one out")
        }
        return first
    }

    /// Parameters that are initialized at random although the source has them.
    static func forgotten(_ model: BERTModel, _ configuration: TrainingConfiguration) -> (String) -> Bool {
        if configuration.fromScratch { return { _ in true } }
        guard configuration.reinitializeLayers > 0 else { return { _ in false } }
        let lowest = model.shape.layers - configuration.reinitializeLayers + 1
        return { model.depth(of: $0) >= lowest && $0.hasPrefix("bert.") }
    }

    /// A line if gradual unfreezing reaches nothing before the run ends.
    /// - Parameter first: the model as the first step trains it.
    static func unreached(
        _ configuration: TrainingConfiguration, _ whole: BERTModel, first: BERTModel, _ freeze: [String],
        _ plan: TrainingPlan
    ) throws(InputError) -> String? {
        guard let every = configuration.unfreezeEvery else { return nil }
        let unfreezing = Unfreezing(every: every, layers: whole.shape.layers)
        let patterns = freeze + unfreezing.frozen(inEpoch: plan.epoch(ofStep: plan.totalSteps))
        let last = whole.freezing(try FrozenParameters(patterns, lora: whole.lora).contains)
        guard last.layout.stateCount == first.layout.stateCount else { return nil }
        let run = "the run of \(counted(plan.totalSteps, "step"))"
        return "--unfreeze-every \(every): no layer is let in before \(run) ends"
    }

    /// A line if added words are never trained.
    static func untrained(_ addedWords: Int, _ whole: BERTModel) -> String? {
        let name = "bert.embeddings.word_embeddings.weight"
        let isTrained = whole.layout.entries.contains { $0.name == name && $0.gradientOffset != nil }
        guard addedWords > 0, !isTrained else { return nil }
        return "the \(counted(addedWords, "added word")) will not be trained, since the embeddings are frozen"
    }
}
