import Foundation
import Testing

@testable import Checkpoints
@testable import Files

@Suite struct ModelExportTests {
    private let configuration =
        "{\"zeta\":[1,{\"b\":null}],\"hidden_size\":4,\"layer_norm_eps\":1e-12,\"big\":9007199254740993,"
        + "\"alpha\":\"é\"}"

    private func source() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.write("[PAD]\n[UNK]\n", to: "vocab.txt")
        try folder.write("{\"x\":  1}", to: "special_tokens_map.json")
        try folder.write("x", to: "pytorch_model.bin")
        return folder
    }

    private func export(
        _ first: Float, from source: TemporaryFolder, to path: String, steps: any FileSteps = PlainFileSteps()
    ) throws {
        let json = try JSONValue(parsing: Array(configuration.utf8))
        try ModelExport.write(
            [tensor("bert.a", [2, 3], from: first), tensor("b", [4], from: -1)], configuration: json,
            tokenizerFolder: source.path,
            tokenizerSettings: .object([
                .init("tokenizer_class", .string("BertTokenizer")), .init("do_lower_case", .bool(false)),
            ]), to: path,
            steps: steps)
    }

    @Test func whatIsExportedOpensAgainWithTheSameTensorsAndKeys() throws {
        let (source, folder) = (try source(), try TemporaryFolder())
        try export(3, from: source, to: folder("model"))
        let model = try ModelFolder(folder("model"))
        #expect(model.configuration.line == configuration)
        #expect(model.tensors.map(\.name) == ["bert.a", "b"])
        #expect(try SafetensorsFile(folder("model/model.safetensors")).floats("bert.a") == [3, 3.5, 4, 4.5, 5, 5.5])
        #expect(names(in: folder.path) == ["model"])
        #expect(
            names(in: folder("model")) == [
                "config.json", "model.safetensors", "special_tokens_map.json", "tokenizer_config.json", "vocab.txt",
            ])
        #expect(try FileSystem.read(folder("model/special_tokens_map.json")) == Array("{\"x\":  1}".utf8))
        let tokenizer = try JSONValue(parsing: FileSystem.read(folder("model/tokenizer_config.json")))
        #expect(tokenizer["tokenizer_class"] == .string("BertTokenizer"))
        #expect(tokenizer["do_lower_case"] == .bool(false))
    }

    @Test func `words are added to those of an earlier round, and a piece that stands twice has its last number`()
        throws
    {
        let folder = try TemporaryFolder()
        try folder.write("[PAD]\n[UNK]\na\nb\na\n", to: "vocab.txt")
        try folder.write("{\"do_lower_case\": true}", to: "tokenizer_config.json")
        try TokenizerExport.add([("first", 5)], to: folder.path, steps: PlainFileSteps())
        try TokenizerExport.add([("second", 6)], to: folder.path, steps: PlainFileSteps())
        #expect(
            try JSONValue(parsing: FileSystem.read(folder("added_tokens.json"))).line == "{\"first\":5,\"second\":6}")
        let tokenizer = try JSONValue(parsing: FileSystem.read(folder("tokenizer.json")))
        #expect(tokenizer["model"]?["vocab"]?.line == "{\"[PAD]\":0,\"[UNK]\":1,\"b\":3,\"a\":4}")
        #expect(
            tokenizer["added_tokens"]?.array?.compactMap { $0["content"]?.string } == [
                "[PAD]", "[UNK]", "first", "second",
            ])
    }

    @Test func `where the configuration lists all added tokens, words are added there too`() throws {
        let folder = try TemporaryFolder()
        try folder.write("[PAD]\n[UNK]\n", to: "vocab.txt")
        try folder.write("{\"added_tokens_decoder\": {\"0\": {\"content\": \"[PAD]\"}}}", to: "tokenizer_config.json")
        try TokenizerExport.add([("first", 2)], to: folder.path, steps: PlainFileSteps())
        let listed = try JSONValue(parsing: FileSystem.read(folder("tokenizer_config.json")))["added_tokens_decoder"]
        #expect(listed?.members?.map(\.key) == ["0", "2"])
        #expect(listed?["2"]?["content"]?.string == "first" && listed?["2"]?["normalized"]?.bool == true)
    }

    @Test func `all added tokens are listed with their numbers, and the names of the special tokens map move there`()
        throws
    {
        let folder = try TemporaryFolder()
        try folder.write("[PAD]\n[UNK]\n", to: "vocab.txt")
        try folder.write("{\"mask_token\": \"[MASK]\"}", to: "tokenizer_config.json")
        try folder.write("{\"mask_token\": {\"content\": \"<mask>\", \"lstrip\": true}}", to: "special_tokens_map.json")
        let tokens = [
            ModelExport.AddedToken("first", id: 3, isNormalized: true), .init("<mask>", id: 2, isNormalized: false),
            .init("[PAD]", id: 0, isNormalized: false),
        ]
        try TokenizerExport.add([("first", 3)], among: tokens, to: folder.path, steps: PlainFileSteps())
        let configuration = try JSONValue(parsing: FileSystem.read(folder("tokenizer_config.json")))
        #expect(configuration["mask_token"]?.string == "<mask>")
        #expect(configuration["added_tokens_decoder"]?.members?.map(\.key) == ["0", "2", "3"])
        #expect(configuration["added_tokens_decoder"]?["2"]?["special"]?.bool == true)
        let tokenizer = try JSONValue(parsing: FileSystem.read(folder("tokenizer.json")))
        #expect(
            tokenizer["added_tokens"]?.array?.compactMap { $0["content"]?.string } == [
                "[PAD]", "[UNK]", "<mask>", "first",
            ])
    }

    @Test func `a tokenizer that cannot take words is refused beforehand`() throws {
        let folder = try TemporaryFolder()
        try folder.write("{\"a\": 1, \"a\": 2}", to: "tokenizer.json")
        #expect(throws: FileError.self) {
            try ModelExport.check(tokenizerFolder: folder.path, tokenizerSettings: .object([]), words: [("x", 1)])
        }
    }

    @Test func theTokenizersOwnConfigurationIsCopiedAsItIs() throws {
        let (source, folder) = (try source(), try TemporaryFolder())
        let own = "{ \"do_lower_case\": null, \"tokenizer_class\": \"X\" }"
        try source.write(own, to: "tokenizer_config.json")
        try export(1, from: source, to: folder("model"))
        #expect(try FileSystem.read(folder("model/tokenizer_config.json")) == Array(own.utf8))
    }

    @Test func whatTheTokenizersOwnConfigurationLeavesOutIsAdded() throws {
        let (source, folder) = (try source(), try TemporaryFolder())
        try source.write("{\"x\": [1], \"tokenizer_class\": \"X\"}", to: "tokenizer_config.json")
        try export(1, from: source, to: folder("model"))
        let written = try JSONValue(parsing: FileSystem.read(folder("model/tokenizer_config.json")))
        #expect(written.line == "{\"x\":[1],\"tokenizer_class\":\"X\",\"do_lower_case\":false}")
    }

    @Test func aSecondExportReplacesTheFirstAsAWhole() throws {
        let (source, folder) = (try source(), try TemporaryFolder())
        try export(1, from: source, to: folder("model"))
        try folder.write("x", to: "model/old")
        try FileSystem.makeFolder(folder("model.partial"))
        try folder.write("left by a crash", to: "model.partial/junk")
        try export(2, from: source, to: folder("model"))
        #expect(names(in: folder.path) == ["model"])
        #expect(names(in: folder("model")).count == 5)
        #expect(try SafetensorsFile(folder("model/model.safetensors")).floats("bert.a").first == 2)
    }

    @Test func aFailureAtAnyStepLeavesTheOldOrTheNewModel() throws {
        var failures = 0
        for failing in 0..<100 {
            let (source, folder) = (try source(), try TemporaryFolder())
            try export(1, from: source, to: folder("model"))
            let steps = FailingSteps(at: failing)
            do { try export(2, from: source, to: folder("model"), steps: steps) } catch { failures += 1 }
            #expect(names(in: folder.path) == ["model"])
            let model = try ModelFolder(folder("model"))
            #expect(model.configuration.line == configuration)
            let first = try SafetensorsFile(folder("model/model.safetensors")).floats("bert.a").first
            #expect(first == 1 || first == 2)
            if steps.reached <= failing { break }
        }
        #expect(failures > 10)
    }
}
