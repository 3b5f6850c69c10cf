internal import Foundation
internal import Testing

@testable internal import Inputs
@testable internal import Wording

/// Each thing that is not a model folder has its own message with the path to give instead.
@Suite struct ModelPathTests {
    private let root: String

    init() throws {
        root =
            FileManager.default.temporaryDirectory.appendingPathComponent("apus-model-path-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: false)
    }

    private func write(_ name: String, _ text: String = "{}") throws {
        let url = URL(fileURLWithPath: root).appendingPathComponent(name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    private func expect(_ path: String, _ words: String..., location: SourceLocation = #_sourceLocation) throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let error = #expect(throws: InputError.self, sourceLocation: location) { try ModelPath.check(path) }
        let line = error?.description ?? ""
        for word in words { #expect(line.contains(word), "\(line)", sourceLocation: location) }
        #expect(!line.contains("\n"), sourceLocation: location)
    }

    @Test func `a folder with config.json is taken`() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        try write("model/config.json")
        try ModelPath.check(root + "/model")
    }

    @Test func `a mistyped path is answered with the folder beside it`() throws {
        try write("bert-base-uncased/config.json")
        try expect(root + "/bert-base-uncasd", "does not exist", "did you mean \(root)/bert-base-uncased?")
    }

    @Test(arguments: [
        ("rum", "run/model-best"), ("rum/model", "run/model"), ("RUN/model", "run/model"), ("run/modle", "run/model"),
        ("Rum/model-bst", "run/model-best"),
    ])
    func `each part of a path may be mistyped`(typed: String, meant: String) throws {
        for model in ["model", "model-best"] { try write("run/\(model)/config.json") }
        try expect("\(root)/\(typed)", "does not exist", "did you mean \(root)/\(meant)?")
    }

    @Test(arguments: ["run/checkpoints/step-18", "run/checkpoints"])
    func `a checkpoint is answered with its run's model`(path: String) throws {
        try write("run/checkpoints/step-18/manifest.json")
        try write("run/model/config.json")
        try expect("\(root)/\(path)", "is a checkpoint", "--model \(root)/run/model")
    }

    @Test func `a checkpoint of a run without a model is answered with the command that resumes it`() throws {
        try write("run/checkpoints/step-18/manifest.json")
        try expect("\(root)/run/checkpoints/step-18", "is a checkpoint", "'apus train --resume --output \(root)/run'")
    }

    @Test func `a path of several folders is not taken for a name`() throws {
        try expect(root + "/a/b/c", "there is no such model folder")
    }

    @Test func `a file is answered with its folder`() throws {
        try write("model/config.json")
        try write("model/model.safetensors")
        try expect(root + "/model/model.safetensors", "is a file", "--model \(root)/model")
    }

    @Test(arguments: [["model", "model-best"], ["model"]])
    func `a run folder is answered with its best model`(models: [String]) throws {
        for model in models { try write("run/\(model)/config.json") }
        try write("run/config.yaml")
        try expect(root + "/run", "is a run folder", "--model \(root)/run/\(models.last ?? "")")
    }

    @Test func `a run without a model is named`() throws {
        try write("run/config.yaml")
        try expect(root + "/run", "has no model yet", "--resume")
    }

    @Test func `adapters are answered with the merged model`() throws {
        try write("run/adapter/adapter_config.json")
        try write("run/model/config.json")
        try expect(root + "/run/adapter", "has adapters", "\(root)/run/model")
    }

    @Test func `a hub's cache is answered with its snapshot`() throws {
        try write("models--google--bert/snapshots/0123abcd/config.json")
        try expect(root + "/models--google--bert", "\(root)/models--google--bert/snapshots/0123abcd")
    }

    @Test func `a folder around the model is answered with the model's`() throws {
        try write("outer/bert/config.json")
        try expect(root + "/outer", "has no config.json, but \(root)/outer/bert does")
    }

    @Test(arguments: ["model.safetensors", "vocab.txt"])
    func `a Git LFS pointer is recognized`(name: String) throws {
        try write("model/config.json")
        try write("model/\(name)", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 438000000\n")
        try expect(root + "/model", "model/\(name)", "Git LFS pointer", "git lfs pull")
    }
}
