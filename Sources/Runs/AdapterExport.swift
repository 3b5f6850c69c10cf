internal import BERT
internal import Checkpoints
internal import Configuration
package import Files
package import Tensors

extension RunInputs {
    /// Writes the adapters and other trained parameters as a folder that PEFT loads, if there are adapters.
    package func exportAdapters(_ parameters: FloatBuffer, to path: String) throws(FileError) {
        guard let lora = model.lora else { return }
        let tensors = StateFiles.tensors(parameters, model.layout) { LoRA.isAdapter($0) || Self.isSaved($0, lora) }
        try ModelExport.writeAdapters(
            tensors.map { SafetensorsWriter.Tensor("base_model.model.\($0.name)", $0.shape, lend: $0.lend) },
            configuration: configuration(of: lora),
            to: path)
    }

    /// PEFT's modules to save: the head, and a pooler that the source does not have.
    private static func isSaved(_ name: String, _ lora: LoRA) -> Bool {
        (BERTModel.isHead(name) && !BERTModel.isSourceHead(name))
            || (lora.trainsPooler && name.hasPrefix("bert.pooler."))
    }

    private var taskType: JSONValue {
        switch model.head {
        case .classification, .regression, .multiLabel: .string("SEQ_CLS")
        case .tokenClassification: .string("TOKEN_CLS")
        case .maskedLanguageModel: .null
        }
    }

    /// PEFT's name of the head.
    private var module: String { model.head == .maskedLanguageModel ? "cls" : "classifier" }

    private func configuration(of lora: LoRA) -> JSONValue {
        let base = ModelCard.base(ofModel: configuration.model)
        return .object([
            .init("peft_type", .string("LORA")), .init("task_type", taskType),
            .init("base_model_name_or_path", .string(base?.name ?? configuration.model)),
            .init("revision", base?.revision.map { .string($0) } ?? .null), .init("r", .integer(lora.rank)),
            .init("lora_alpha", Int(exactly: lora.alpha).map { .integer($0) } ?? .number(lora.alpha)),
            .init("lora_dropout", .number(lora.dropout)), .init("target_modules", Self.modules(lora)),
            .init("bias", .string("none")),
            .init("fan_in_fan_out", .bool(false)), .init("inference_mode", .bool(true)),
            .init("init_lora_weights", .bool(true)),
            .init("modules_to_save", .array(([module] + (lora.trainsPooler ? ["pooler"] : [])).map { .string($0) })),
        ])
    }

    /// PEFT matches a list against name suffixes; "output.dense" would match two products, so a pattern distinguishes
    /// them.
    private static func modules(_ lora: LoRA) -> JSONValue {
        if lora.targets.contains(.output), !lora.targets.contains(.attentionOutput) {
            let names = lora.targets.map { $0.module.replacing(".", with: "\\.") }
            return .string(".*\\.layer\\.\\d+\\.(\(names.joined(separator: "|")))")
        }
        return .array(lora.targets.map { .string($0.module) })
    }
}
