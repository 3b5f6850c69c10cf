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
}
