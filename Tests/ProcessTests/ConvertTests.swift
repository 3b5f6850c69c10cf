import Foundation
import Testing

/// `apus convert`: the process that reads, its limits, and what is left behind.
@Suite struct ConvertTests {
    private static let fixtures = repository.appending(path: "Tests/Fixtures/torch")

    private func copy(_ name: String, to path: String) throws {
        try FileManager.default.copyItem(atPath: Self.fixtures.appending(path: name).path, toPath: path)
    }

    @Test func `a folder and its shards become a folder that is a model's`() throws {
        let folder = try ScratchFolder()
        for name in ["one", "many"] {
            try FileManager.default.createDirectory(at: folder.url(name), withIntermediateDirectories: false)
            try Data("{}".utf8).write(to: folder.url("\(name)/config.json"))
        }
        try copy("plain.bin", to: folder.url("one/pytorch_model.bin").path)
        let one = try ApusProcess("convert", folder.url("one").path, folder.url("new").path)
        #expect(one.status == 0, "\(one.complaint)")
        #expect(one.output.contains("4 tensors"))
        let expected = try Data(contentsOf: Self.fixtures.appending(path: "plain.safetensors"))
        #expect(try Data(contentsOf: folder.url("new/model.safetensors")) == expected)
        #expect(FileManager.default.fileExists(atPath: folder.url("new/config.json").path))

        for (number, name) in ["plain.bin", "views.bin"].enumerated() {
            try copy(name, to: folder.url("many/pytorch_model-0000\(number + 1)-of-00002.bin").path)
        }
        let index =
            #"{"weight_map": {"a": "pytorch_model-00001-of-00002.bin", "b": "pytorch_model-00002-of-00002.bin"}}"#
        try Data(index.utf8).write(to: folder.url("many/pytorch_model.bin.index.json"))
        let many = try ApusProcess("convert", folder.url("many").path, folder.url("sharded").path)
        #expect(many.status == 0, "\(many.complaint)")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.url("sharded").path).sorted()
        #expect(
            names == [
                "config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
                "model.safetensors.index.json",
            ])
        let shown = try ApusProcess("inspect", folder.url("sharded/model-00002-of-00002.safetensors").path)
        #expect(shown.output.contains("columns"), "\(shown.output)")
    }

    @Test func `what is hostile or in the way is refused in one line, and nothing is left`() throws {
        let folder = try ScratchFolder()
        let bad = folder.url("bad.bin").path
        try Data("(cos\nsystem\n".utf8).write(to: URL(filePath: bad))
        expectOneLine(
            try ApusProcess("convert", bad, folder.url("x.safetensors").path), status: 2, "bad.bin", "torch.save")
        expectOneLine(try ApusProcess("convert", bad, bad), status: 2, "exists already")
        expectOneLine(try ApusProcess("convert", bad, folder.url("x").path), status: 2, "name it with .safetensors")
        expectOneLine(
            try ApusProcess("convert", folder.url("none").path, folder.url("x").path), status: 2,
            "there is no such file")
        try FileManager.default.createDirectory(at: folder.url("model"), withIntermediateDirectories: false)
        expectOneLine(
            try ApusProcess("convert", folder.url("model").path, folder.url("x").path), status: 2, "pytorch_model.bin")
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"
        try Data(pointer.utf8).write(to: folder.url("model/pytorch_model.bin"))
        expectOneLine(
            try ApusProcess("convert", folder.url("model").path, folder.url("x").path), status: 2,
            "pytorch_model.bin: is a Git LFS pointer")
        try copy("plain.bin", to: folder.url("plain.bin").path)
        try FileManager.default.removeItem(at: folder.url("model/pytorch_model.bin"))
        try FileManager.default.moveItem(at: folder.url("plain.bin"), to: folder.url("model/pytorch_model.bin"))
        try Data(pointer.utf8).write(to: folder.url("model/tokenizer.json"))
        expectOneLine(
            try ApusProcess("convert", folder.url("model").path, folder.url("x").path), status: 2,
            "tokenizer.json: is a Git LFS pointer")
        try FileManager.default.removeItem(at: folder.url("model/pytorch_model.bin"))
        let index = #"{"weight_map": {"a": "../pytorch_model-00001-of-00001.bin"}}"#
        try Data(index.utf8).write(to: folder.url("model/pytorch_model.bin.index.json"))
        expectOneLine(
            try ApusProcess("convert", folder.url("model").path, folder.url("x").path), status: 2, "names the file")
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.url("").path).sorted()
        #expect(left == ["bad.bin", "model"])
    }

    @Test func `training names the command for a folder of pickled weights`() throws {
        let job = try SmallJob()
        try FileManager.default.removeItem(atPath: job.path("model/model.safetensors"))
        try copy("plain.bin", to: job.path("model/pytorch_model.bin"))
        expectOneLine(try ApusProcess(job.command("run")), status: 2, "apus convert \(job.model) ")
    }
}
