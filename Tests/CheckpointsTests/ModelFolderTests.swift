import Foundation
import Testing

@testable import Checkpoints
@testable import Files

@Suite struct ModelFolderTests {
    private func problem(_ path: String) -> String {
        do { _ = try ModelFolder(path) } catch { return "\(error)" }
        return "none"
    }

    @Test func saysWhatAFolderLacks() throws {
        let folder = try TemporaryFolder()
        #expect(problem(folder("none")).contains("does not exist: check --model"))
        #expect(
            try problem(folder.write("", to: "file")).contains(
                "is a file, expected a model folder with config.json and model.safetensors"))
        #expect(problem(folder.path) == "\(folder.path): has no config.json: expected a Hugging Face model folder")
        try folder.write("{}", to: "config.json")
        #expect(problem(folder.path) == "\(folder.path): has no model.safetensors: are the weights downloaded?")
        try folder.write("x", to: "pytorch_model.bin")
        #expect(
            problem(folder.path).contains(
                "holds pytorch_model.bin but no model.safetensors: 'apus convert \(folder.path) "))
        try folder.write([], to: "model.safetensors")
        #expect(problem(folder.path).contains("model.safetensors: is not a complete safetensors file"))
    }

    @Test(arguments: ["", "{", "[]", "{\"a\":1,\"a\":2}", "{\"a\":NaN}", "\u{FEFF}{}"])
    func refusesAConfigurationThatIsNoObject(text: String) throws {
        let folder = try TemporaryFolder()
        try folder.write(text, to: "config.json")
        let said = problem(folder.path)
        #expect(
            said.hasPrefix("\(folder("config.json")): is not a JSON object: ")
                && said.hasSuffix(": download the model again"), "\(said)")
    }

    private func sharded(_ index: String) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.write("{}", to: "config.json")
        try SafetensorsWriter.write([tensor("a", [2])], to: folder("one.safetensors"))
        try SafetensorsWriter.write([tensor("b", [3], from: 1)], to: folder("two.safetensors"))
        try folder.write(index, to: "model.safetensors.index.json")
        return folder
    }

    @Test func readsAModelInShards() throws {
        let folder = try sharded(
            "{\"metadata\":{},\"weight_map\":{\"b\":\"two.safetensors\",\"a\":\"one.safetensors\"}}")
        let model = try ModelFolder(folder.path)
        #expect(model.tensors.map(\.name) == ["a", "b"])
        #expect(model.tensor("b")?.shape == [3])
        var values = [Float](repeating: 0, count: 3)
        var span = values.mutableSpan
        try model.readFloats("b", into: &span)
        #expect(values == [1, 1.5, 2])
        do {
            var span = values.mutableSpan
            try model.readFloats("c", into: &span)
            Issue.record("read a tensor that is not there")
        } catch { #expect(error == FileError(folder.path, "has no tensor c: is this the right model?")) }
    }

    @Test(arguments: [
        ("{}", "has no weight_map"), ("{\"weight_map\":{}}", "has no weight_map"),
        ("{\"weight_map\":3}", "has no weight_map"), ("{", "cannot be used"),
        ("{\"weight_map\":{\"a\":\"../one.safetensors\"}}", "names the file ../one.safetensors outside of the folder"),
        ("{\"weight_map\":{\"a\":\"..\"}}", "names the file .. outside of the folder"),
        ("{\"weight_map\":{\"a\":1}}", "names no file for a"),
        ("{\"weight_map\":{\"a\":\"three.safetensors\"}}", "three.safetensors: cannot be opened"),
        ("{\"weight_map\":{\"a\":\"one.safetensors\",\"c\":\"copy.safetensors\"}}", "tensor a is in two files"),
    ])
    func refusesABadIndex(index: String, reason: String) throws {
        let folder = try sharded(index)
        try FileManager.default.copyItem(atPath: folder("one.safetensors"), toPath: folder("copy.safetensors"))
        let said = problem(folder.path)
        #expect(said.contains(reason), "\(said)")
    }

    @Test(arguments: ["classify", "masked-lm", "pairs", "regress"])
    func readsTheReferenceModels(name: String) throws {
        let model = try ModelFolder("\(goldenFolder)/\(name)")
        #expect(model.configuration["model_type"] == .string("bert"))
        #expect(model.tensors.contains { $0.name.hasSuffix("embeddings.word_embeddings.weight") })
    }
}
