import BERT
import Checkpoints
import Files
import Foundation
import Tensors
import Testing

/// Folders are written with the layout's own names, changed as a test needs, and loaded again.
@Suite final class ModelLoadingTests {
    private let path = FileManager.default.temporaryDirectory.path + "/apus-\(UUID().uuidString)"
    private let model = BERTModel(shape: smallShape(layers: 1), head: .classification(labels: 3))

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// A folder with the parameters of `model` under the names that `rename` gives; none for nil.
    private func folder(
        of model: BERTModel, _ parameters: FloatBuffer, adding added: [SafetensorsWriter.Tensor] = [],
        rename: (String) -> String? = { $0 }
    ) throws -> ModelFolder {
        let kept = model.layout.entries.compactMap { entry in
            rename(entry.name).map { name in
                SafetensorsWriter.Tensor(name, entry.shape) { parameters.view[entry.range].withSpan($0) }
            }
        }
        try FileSystem.makeFolder(path)
        try FileSystem.replace(path + "/config.json", with: Array("{}".utf8))
        try SafetensorsWriter.write(kept + added, to: path + "/model.safetensors")
        return try ModelFolder(path)
    }

    private func zeros(_ name: String, _ shape: [Int]) -> SafetensorsWriter.Tensor {
        SafetensorsWriter.Tensor(name, shape) { body in body([Float](repeating: 0, count: shape.reduce(1, *)).span) }
    }

    private func values(_ weights: LoadedWeights, _ name: String) throws -> [Float] {
        weights.parameters.view[model.layout.entries[try #require(model.layout.index(of: name))].range].array
    }

    @Test func loadsEveryTensorInItsPlace() throws {
        let parameters = randomParameters(model)
        let loaded = try model.load(try folder(of: model, parameters), keepsHead: true, seed: 1)
        #expect(loaded.parameters.view.array == parameters.view.array)
        #expect(loaded.initialized == [] && loaded.unexpected == [])
    }

    @Test(arguments: [nil, "BertForPreTraining", "BertForMaskedLM", "BertModel"])
    func `a masked-LM head is found by its tensors`(architecture: String?) throws {
        let model = BERTModel(shape: smallShape(layers: 1), head: .maskedLanguageModel)
        let parameters = randomParameters(model)
        let folder = try folder(of: model, parameters)
        #expect(try configuration(architecture).heads(in: folder) == [.maskedLanguageModel])
        #expect(try model.load(folder, keepsHead: true, seed: 1).initialized == [])
    }

    @Test func `a classifier is found by its tensors, its kind by pooler, rows and problem`() throws {
        let folder = try folder(of: model, randomParameters(model))
        #expect(try configuration(nil).heads(in: folder) == [.classification(labels: 3)])
        #expect(try configuration("BertModel").heads(in: folder) == [.classification(labels: 3)])
        #expect(try configuration("BertForTokenClassification").heads(in: folder) == [.tokenClassification(labels: 3)])
        #expect(
            try configuration(nil, ("problem_type", .string("multi_label_classification"))).heads(in: folder) == [
                .multiLabel(labels: 3)
            ])
        #expect(try configuration(nil, ("num_labels", .integer(5))).heads(in: folder) == [.classification(labels: 5)])
        #expect(try configuration(nil).labels(count: 3) == ["LABEL_0", "LABEL_1", "LABEL_2"])
    }

    @Test func `without a pooler a classifier is one of words, and without a classifier there is none`() throws {
        let words = BERTModel(shape: smallShape(layers: 1), head: .tokenClassification(labels: 4))
        #expect(
            try configuration(nil).heads(in: folder(of: words, randomParameters(words))) == [
                .tokenClassification(labels: 4)
            ])
        let bare = try folder(of: words, randomParameters(words)) { $0.hasPrefix("classifier.") ? nil : $0 }
        #expect(try configuration("BertForSequenceClassification").heads(in: bare).isEmpty)
    }

    private func configuration(_ architecture: String?, _ others: (String, JSONValue)...) throws -> BERTConfiguration {
        let smallest =
            #"{"hidden_size":24,"num_attention_heads":3,"num_hidden_layers":1,"vocab_size":37,"#
            + #""intermediate_size":40,"max_position_embeddings":20}"#
        var json = try JSONValue(parsing: Array(smallest.utf8))
        if let architecture { json["architectures"] = .array([.string(architecture)]) }
        for (key, value) in others { json[key] = value }
        return try BERTConfiguration(json, path: "config.json")
    }

    @Test func loadsNamesWithoutThePrefix() throws {
        let parameters = randomParameters(model)
        let plain = try folder(of: model, parameters) { $0.hasPrefix("bert.") ? String($0.dropFirst(5)) : $0 }
        let loaded = try model.load(plain, keepsHead: true, seed: 1)
        #expect(loaded.parameters.view.array == parameters.view.array)
        #expect(loaded.initialized == [] && loaded.unexpected == [])
    }

    @Test(arguments: [false, true])
    func loadsGammaAndBeta(withPrefix: Bool) throws {
        let parameters = randomParameters(model)
        let old = try folder(of: model, parameters) { name in
            let renamed = name.replacing("LayerNorm.weight", with: "LayerNorm.gamma").replacing(
                "LayerNorm.bias", with: "LayerNorm.beta")
            return withPrefix || !name.hasPrefix("bert.") ? renamed : String(renamed.dropFirst(5))
        }
        let loaded = try model.load(old, keepsHead: true, seed: 1)
        #expect(loaded.parameters.view.array == parameters.view.array)
        #expect(loaded.unexpected == [])
    }

    @Test(arguments: [
        "bert.encoder.layer.0.attention.self.key.weight", "bert.embeddings.word_embeddings.weight",
        "bert.embeddings.LayerNorm.bias",
    ])
    func refusesAMissingEncoderTensor(name: String) throws {
        let lacking = try folder(of: model, randomParameters(model)) { $0 == name ? nil : $0 }
        #expect(throws: FileError(path, "has no tensor \(name), which the encoder needs: is this a BERT?")) {
            try self.model.load(lacking, keepsHead: true, seed: 1)
        }
    }

    @Test(arguments: [
        ("bert.embeddings.word_embeddings.weight", [38, 24], [37, 24]),
        ("bert.encoder.layer.0.intermediate.dense.weight", [24, 40], [40, 24]),
        ("bert.pooler.dense.bias", [24, 1], [24]), ("classifier.weight", [2, 24], [3, 24]),
    ])
    func refusesAWrongShapeByName(name: String, shape: [Int], needed: [Int]) throws {
        let wrong = try folder(of: model, randomParameters(model), adding: [zeros(name, shape)]) {
            $0 == name ? nil : $0
        }
        #expect(
            throws: FileError(
                path, "tensor \(name) has shape \(shape), config.json asks for \(needed): do the two belong together?")
        ) {
            try self.model.load(wrong, keepsHead: true, seed: 1)
        }
    }

    @Test func refusesAModelLargerThanMemoryBeforeTakingAny() throws {
        var shape = smallShape(layers: 1)
        shape.vocabulary = 1 << 40
        let huge = BERTModel(shape: shape, head: .regression())
        let source = try folder(of: model, randomParameters(model))
        #expect(throws: FileError.self) { try huge.load(source, keepsHead: true, seed: 1) }
    }

    @Test func drawsWhatTheHeadLacks() throws {
        let shape = smallShape(layers: 1)
        let wide = BERTModel(shape: shape, head: .classification(labels: 500))
        let parameters = randomParameters(wide)
        let bare = try folder(of: wide, parameters) {
            $0.hasPrefix("classifier") || $0.hasPrefix("bert.pooler") ? nil : $0
        }
        let loaded = try wide.load(bare, keepsHead: true, seed: 3)
        #expect(
            loaded.initialized == [
                "bert.pooler.dense.weight", "bert.pooler.dense.bias", "classifier.weight", "classifier.bias",
            ])
        #expect(loaded.unexpected == [])
        for entry in wide.layout.entries {
            let found = loaded.parameters.view[entry.range].array
            if !loaded.initialized.contains(entry.name) {
                #expect(found == parameters.view[entry.range].array)
            } else if entry.name.hasSuffix("bias") {
                #expect(found.allSatisfy { $0 == 0 })
            } else {
                let mean = found.reduce(0, +) / Float(found.count)
                let deviation = (found.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(found.count)).squareRoot()
                #expect(abs(deviation - 0.02) < 0.002, "\(entry.name)")
                #expect(abs(mean) < 0.003, "\(entry.name)")
            }
        }
        #expect(try wide.load(bare, keepsHead: true, seed: 3).parameters.view.array == loaded.parameters.view.array)
        #expect(try wide.load(bare, keepsHead: true, seed: 4).parameters.view.array != loaded.parameters.view.array)
    }

    @Test func aHeadOfOtherLabelsIsDrawnAnewAndNotUnexpected() throws {
        let other = BERTModel(shape: smallShape(layers: 1), head: .classification(labels: 5))
        let source = try folder(of: other, randomParameters(other))
        let loaded = try model.load(source, keepsHead: false, seed: 1)
        #expect(loaded.initialized == ["classifier.weight", "classifier.bias"])
        #expect(loaded.unexpected == [])
        #expect(try values(loaded, "classifier.bias") == [0, 0, 0])
        #expect(try Set(values(loaded, "classifier.weight")).count == 72)
    }

    @Test func listsWhatItHasNoPlaceFor() throws {
        let added = [
            zeros("cls.seq_relationship.weight", [2, 24]), zeros("bert.embeddings.position_ids", [1, 20]),
            zeros("bert.encoder.layer.1.output.dense.bias", [24]),
            zeros("cls.predictions.decoder.weight", [37, 24]),
        ]
        let loaded = try model.load(
            try folder(of: model, randomParameters(model), adding: added), keepsHead: true, seed: 1)
        #expect(loaded.unexpected == ["cls.seq_relationship.weight", "bert.encoder.layer.1.output.dense.bias"])
        #expect(loaded.initialized == [])
    }

    @Test func aMaskedLanguageModelTakesItsBiasFromEitherName() throws {
        let words = BERTModel(shape: smallShape(layers: 1), head: .maskedLanguageModel)
        let parameters = randomParameters(words)
        let source = try folder(of: words, parameters) {
            $0 == "cls.predictions.bias" ? "cls.predictions.decoder.bias" : $0
        }
        let loaded = try words.load(source, keepsHead: true, seed: 1)
        #expect(loaded.parameters.view.array == parameters.view.array)
        #expect(loaded.initialized == [] && loaded.unexpected == [])
    }

    /// As Transformers decides: a decoder that differs is never tied, whatever config.json says.
    @Test func `a decoder must be the word table, and its bias wins`() throws {
        let words = BERTModel(shape: smallShape(layers: 1), head: .maskedLanguageModel)
        let parameters = randomParameters(words)
        func part(_ name: String) throws -> [Float] {
            parameters.view[words.layout.entries[try #require(words.layout.index(of: name))].range].array
        }
        func tensor(_ name: String, _ shape: [Int], _ values: [Float]) -> SafetensorsWriter.Tensor {
            SafetensorsWriter.Tensor(name, shape) { body in body(values.span) }
        }
        let decoder = "cls.predictions.decoder"
        var table = try part("bert.embeddings.word_embeddings.weight")
        let bias = try part("cls.predictions.bias")
        let added = [
            tensor("\(decoder).weight", [37, 24], table), tensor("\(decoder).bias", [37], bias),
            tensor("cls.predictions.bias", [37], bias.map { $0 + 1 }),
        ]
        let tied = try folder(of: words, parameters, adding: added) { $0 == "cls.predictions.bias" ? nil : $0 }
        let loaded = try words.load(tied, keepsHead: true, seed: 1)
        #expect(loaded.parameters.view.array == parameters.view.array)
        #expect(loaded.initialized == [] && loaded.unexpected == [])

        table[table.count - 1] += 0x1p-20
        let untied = try folder(
            of: words, parameters, adding: [tensor("\(decoder).weight", [37, 24], table)])
        let error = #expect(throws: FileError.self) { try words.load(untied, keepsHead: true, seed: 1) }
        #expect(error?.problem.hasPrefix("tensor \(decoder).weight differs from bert.embeddings.word_emb") == true)
        // Nothing uses the decoder: a new model, and one for another task.
        _ = try words.load(untied, keepsHead: true, seed: 1, forgetting: { _ in true })
        #expect(try model.load(untied, keepsHead: false, seed: 1).initialized.contains("classifier.weight"))
        let short = try folder(of: words, parameters, adding: [zeros("\(decoder).weight", [36, 24])])
        #expect(throws: FileError.self) { try words.load(short, keepsHead: true, seed: 1) }
    }

    @Test func newWeightsAreOnesAtGainsZerosAtBiasesAndDrawnElsewhere() {
        let parameters = model.initialized(seed: 9)
        for entry in model.layout.entries {
            let found = parameters.view[entry.range].array
            if entry.name.hasSuffix("LayerNorm.weight") {
                #expect(found.allSatisfy { $0 == 1 })
            } else if entry.name.hasSuffix("bias") {
                #expect(found.allSatisfy { $0 == 0 })
            } else {
                #expect(Set(found).count > found.count * 9 / 10 && found.allSatisfy { abs($0) < 0.12 })
            }
        }
        #expect(parameters.view.array == model.initialized(seed: 9).view.array)
    }

    @Test(arguments: ["classify", "pairs", "regress", "masked-lm"])
    func loadsTheReferenceModels(name: String) throws {
        let fixtures =
            URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
            + "/Fixtures/golden/"
        let source = try ModelFolder(fixtures + name)
        let configuration = try BERTConfiguration(source.configuration, path: fixtures + name + "/config.json")
        let head: Head =
            switch name {
            case "masked-lm": .maskedLanguageModel
            case "regress": .regression()
            default: .classification(labels: configuration.labels.count)
            }
        let loaded = try BERTModel(shape: configuration.shape, head: head).load(source, keepsHead: true, seed: 0)
        #expect(loaded.initialized == [] && loaded.unexpected == [])
    }
}
