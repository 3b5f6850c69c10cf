internal import BERT
package import Checkpoints
internal import Tensors
internal import Foundation

extension ReferenceCase {
    /// Reads a reference folder: a model folder with reference.safetensors and steps.json.
    package init(folder: String) throws(FileError) {
        let json = try ModelFolder.configuration(folder)
        let configuration = try BERTConfiguration(json, path: folder + "/config.json")
        let model = try ModelFolder(folder)
        let reference = try SafetensorsFile(folder + "/reference.safetensors")
        let steps = try Self.steps(folder)
        let architecture = configuration.architectures.first ?? "BertForSequenceClassification"
        let head: Head
        switch architecture {
        case "BertForMaskedLM": head = .maskedLanguageModel
        case "BertForSequenceClassification":
            head = configuration.labels.count == 1 ? .regression : .classification(labels: configuration.labels.count)
        default: throw FileError(folder, "its architecture is \(architecture), BertForSequenceClassification or BertForMaskedLM was needed")
        }
        guard let size = reference.tensor("input_ids")?.shape, size.count == 2 else {
            throw FileError(reference.path, "input_ids is missing or not (B, L)")
        }
        let adapters = try Self.adapters(folder)
        let labels: Labels
        switch head {
        case .classification: labels = .classes(try reference.readIntegers("labels"))
        case .regression: labels = .values(try reference.floats("labels"))
        case .maskedLanguageModel: labels = .words(try reference.readIntegers("labels"))
        }
        self.init(
            name: folder, shape: configuration.shape, head: head,
            optimizer: OptimizerSettings(
                kind: .adamw, weightDecay: steps["weight_decay"]?.double ?? 0, maxGradientNorm: steps["clip"]?.double,
                factors: OptimizerSettings.factors(
                    layers: configuration.shape.layers, decay: steps["layer_decay"]?.double ?? 1,
                    head: (steps["head_lr"]?.double).map { $0 / (steps["lr"]?.double ?? 1) } ?? 1)),
            schedule: LearningRateSchedule(
                shape: .linear, peak: steps["lr"]?.double ?? 0, warmupSteps: steps["warmup"]?.integer ?? 0,
                totalSteps: steps["total_steps"]?.integer ?? 1),
            steps: steps["steps"]?.array?.count ?? 0, weights: { try Self.weights(of: $0, in: model, adapters) }, reference: { try reference.floats($0) },
            inputIds: try reference.readIntegers("input_ids"), attentionMask: try reference.readIntegers("attention_mask"),
            tokenTypes: try reference.readIntegers("token_type_ids"), sentences: size[0], width: size[1], labels: labels)
        lora = adapters?.settings
        guard inputIds.count == attentionMask.count, inputIds.count == tokenTypes.count, steps["lr"]?.double != nil, self.steps > 0 else {
            throw FileError(folder, "its mask, types or steps do not fit its input_ids: make the case again with generate.py")
        }
    }

    private static func steps(_ folder: String) throws(FileError) -> JSONValue {
        let path = folder + "/steps.json"
        do { return try JSONValue(parsing: try FileSystem.read(path)) } catch { throw FileError(path, "cannot be used: \(error)") }
    }

    /// Adapters as PEFT saves them; nil where the folder has none.
    private static func adapters(_ folder: String) throws(FileError) -> (settings: LoRA, file: SafetensorsFile)? {
        let path = folder + "/adapter_config.json"
        guard let bytes = try? FileSystem.read(path) else { return nil }
        guard let json = try? JSONValue(parsing: bytes), let rank = json["r"]?.integer, let alpha = json["lora_alpha"]?.double else {
            throw FileError(path, "has no r and lora_alpha: make the case again with generate.py")
        }
        let file = try SafetensorsFile(folder + "/adapter_model.safetensors")
        let targets = LoRA.Target.allCases.filter { file.tensor("base_model.model.\($0.product(ofLayer: 0)).lora_A.weight") != nil }
        return (LoRA(rank: rank, alpha: alpha, targets: targets, dropout: 0), file)
    }

    private static func weights(
        of name: String, in model: ModelFolder, _ adapters: (settings: LoRA, file: SafetensorsFile)?
    ) throws(FileError) -> [Float] {
        if LoRA.isAdapter(name), let adapters { return try adapters.file.floats("base_model.model.\(name)") }
        guard let tensor = model.tensor(name) ?? model.tensor(name.replacing("bert.", with: "")) else {
            throw FileError(model.path, "has no tensor \(name)")
        }
        var values = [Float](repeating: 0, count: tensor.count)
        var span = values.mutableSpan
        try model.readFloats(tensor.name, into: &span)
        return values
    }
}
