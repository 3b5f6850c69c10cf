internal import BERT
internal import Checkpoints
package import Files
internal import Foundation
internal import Kernels
internal import Learning

extension ReferenceCase {
    /// Reads a reference folder: a model folder with reference.safetensors and steps.json.
    package init(folder: String) throws(FileError) {
        let json = try ModelFolder.configuration(folder)
        let configuration = try BERTConfiguration(json, path: folder + "/config.json")
        let model = try ModelFolder(folder)
        let reference = try SafetensorsFile(folder + "/reference.safetensors")
        let steps = try Self.steps(folder)
        let adapters = try Self.adapters(folder)
        guard let head = configuration.head else {
            let found = configuration.architectures.first ?? "missing"
            throw FileError(
                folder, "its architecture is \(found), expected one of BERT's for classification or masked-LM")
        }
        self.init(
            name: folder, shape: configuration.shape, head: head,
            loss: LossOptions(
                labelSmoothing: steps["label_smoothing"]?.double ?? 0,
                classWeights: (steps["class_weights"]?.array ?? []).compactMap { $0.double.map { Float($0) } }),
            optimizer: OptimizerSettings(
                kind: .adamw, weightDecay: steps["weight_decay"]?.double ?? 0, maxGradientNorm: steps["clip"]?.double,
                factors: OptimizerSettings.factors(
                    layers: configuration.shape.layers, decay: steps["layer_decay"]?.double ?? 1,
                    head: (steps["head_lr"]?.double).map { $0 / (steps["lr"]?.double ?? 1) } ?? 1)),
            schedule: LearningRateSchedule(
                shape: .linear, peak: steps["lr"]?.double ?? 0, warmupSteps: steps["warmup"]?.integer ?? 0,
                totalSteps: steps["total_steps"]?.integer ?? 1),
            steps: steps["steps"]?.array?.count ?? 0,
            weights: { try Self.weights(of: $0, count: $1, in: model, adapters) },
            reference: { try reference.floats($0, count: $1) },
            target: try Self.batch(reference, .target, head, configuration.shape),
            source: try Self.source(steps, reference, configuration.shape))
        lora = adapters?.settings
        try check(path: folder + "/steps.json")
    }

    private static func batch(_ reference: SafetensorsFile, _ stream: TaskStream, _ head: Head, _ shape: BERTShape)
        throws(FileError) -> ReferenceBatch
    {
        let prefix = stream == .target ? "" : "source."
        guard let size = reference.tensor(prefix + "input_ids")?.shape, size.count == 2, size[0] > 0 else {
            throw FileError(reference.path, "\(prefix)input_ids is missing or not (B, L)")
        }
        let labels: ReferenceBatch.Labels
        switch head {
        case .classification: labels = .classes(try reference.readIntegers(prefix + "labels"))
        case .regression, .multiLabel: labels = .values(try reference.floats(prefix + "labels"))
        case .tokenClassification, .maskedLanguageModel: labels = .tokens(try reference.readIntegers(prefix + "labels"))
        }
        let batch = ReferenceBatch(
            stream: stream, inputIds: try reference.readIntegers(prefix + "input_ids"),
            attentionMask: try reference.readIntegers(prefix + "attention_mask"),
            tokenTypes: try reference.readIntegers(prefix + "token_type_ids"), sentences: size[0], width: size[1],
            labels: labels)
        try batch.check(shape, head, path: reference.path)
        return batch
    }

    private static func source(_ steps: JSONValue, _ reference: SafetensorsFile, _ shape: BERTShape) throws(FileError)
        -> Source?
    {
        guard let source = steps["source"] else { return nil }
        let outputs = source["labels"]?.integer ?? 1
        guard (1...(1 << 20)).contains(outputs) else {
            throw FileError(
                reference.path, "its source has \(outputs) labels: create the case again with generate_tasks.py")
        }
        let head: Head
        switch source["head"]?.string {
        case "cls": head = .classification(labels: outputs)
        case "regression": head = .regression(targets: outputs)
        case "mlm": head = .maskedLanguageModel
        case let other:
            throw FileError(reference.path, "its source head is \(other ?? "missing"), expected cls, regression or mlm")
        }
        guard let shared = source["shared_layers"]?.integer, (1...shape.layers).contains(shared),
            let lambda = source["lambda"]?.double
        else {
            throw FileError(
                reference.path,
                "its source has no valid lambda or shared_layers: create the case again with generate_tasks.py")
        }
        return Source(
            head: SourceHead(head: head, sharedLayers: shared), batch: try batch(reference, .source, head, shape),
            lambda: lambda)
    }

    private static func steps(_ folder: String) throws(FileError) -> JSONValue {
        let path = folder + "/steps.json"
        let bytes = try FileSystem.read(path, limit: ModelFolder.longestJSON)
        do { return try JSONValue(parsing: bytes) } catch { throw FileError(path, "cannot be used: \(error)") }
    }

    /// Adapters as PEFT saves them; nil if the folder has none.
    private static func adapters(_ folder: String) throws(FileError) -> (settings: LoRA, file: SafetensorsFile)? {
        let path = folder + "/adapter_config.json"
        guard let bytes = try? FileSystem.read(path, limit: ModelFolder.longestJSON) else { return nil }
        guard let json = try? JSONValue(parsing: bytes), let rank = json["r"]?.integer, (1...(1 << 16)).contains(rank),
            let alpha = json["lora_alpha"]?.double, alpha > 0, alpha.isFinite
        else { throw FileError(path, "has no r and lora_alpha above 0: create the case again with generate.py") }
        let file = try SafetensorsFile(folder + "/adapter_model.safetensors")
        let targets = LoRA.Target.allCases.filter {
            file.tensor("base_model.model.\($0.product(ofLayer: 0)).lora_A.weight") != nil
        }
        return (LoRA(rank: rank, alpha: alpha, targets: targets, dropout: 0), file)
    }

    private static func weights(
        of name: String, count: Int, in model: ModelFolder, _ adapters: (settings: LoRA, file: SafetensorsFile)?
    ) throws(FileError) -> [Float] {
        if LoRA.isAdapter(name), let adapters {
            return try adapters.file.floats("base_model.model.\(name)", count: count)
        }
        guard let tensor = model.tensor(name) ?? model.tensor(name.replacing("bert.", with: "")) else {
            throw FileError(model.path, "has no tensor \(name)")
        }
        guard tensor.count == count else {
            throw FileError(model.path, "tensor \(name) has \(tensor.count) elements, expected \(count)")
        }
        var values = [Float](repeating: 0, count: tensor.count)
        var span = values.mutableSpan
        try model.readFloats(tensor.name, into: &span)
        return values
    }
}
