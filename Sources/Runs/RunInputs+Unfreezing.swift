package import BERT
internal import Configuration
internal import Learning

extension RunInputs {
    /// The parts frozen in a step: the requested ones, and those that gradual unfreezing has not reached.
    package func freeze(ofStep step: Int) -> [String] {
        guard let every = configuration.unfreezeEvery else { return freeze }
        let unfreezing = Unfreezing(every: every, layers: model.shape.layers)
        return freeze + unfreezing.frozen(inEpoch: plan.epoch(ofStep: max(1, step)))
    }

    /// The model with the parameters that a step trains.
    package func model(ofStep step: Int) throws -> BERTModel {
        guard configuration.unfreezeEvery != nil else { return model }
        return model.freezing(try FrozenParameters(freeze(ofStep: step), lora: model.lora).contains)
    }
}
