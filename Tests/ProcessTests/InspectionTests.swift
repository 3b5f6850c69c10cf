import Checkpoints
import Files
import Foundation
import Testing

@testable import ApusCommand

@Suite struct InspectionTests {
    private static let golden =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
        + "/Fixtures/golden"

    private func writeTensors(_ path: String, _ name: String, steps: any FileSteps = PlainFileSteps()) throws(FileError)
    {
        let tensor = SafetensorsWriter.Tensor(name, [2, 1]) { body in body(([1, 2] as [Float]).span) }
        try SafetensorsWriter.write([tensor], to: path, steps: steps)
    }

    @Test func `a safetensors file is shown as its metadata and tensors`() throws {
        let folder = try ScratchFolder()
        try writeTensors(folder.path + "/a", "x\u{1B}[2J\n")
        #expect(
            try Inspection.lines(folder.path + "/a") == [
                "format: pt", "x\u{FFFD}[2J\u{FFFD}  F32  (2, 1)", "1 tensor, 2 values, 8 bytes",
            ])
    }

    @Test func `a model folder is shown with its sizes and labels`() throws {
        let lines = try Inspection.lines("\(Self.golden)/classify")
        #expect(lines.first?.hasPrefix("BertForSequenceClassification: ") == true)
        #expect(lines.first?.contains("48 wide") == true)
        #expect(lines[1] == "labels: LABEL_0, LABEL_1, LABEL_2")
        #expect(lines.contains { $0.hasPrefix("classifier.weight ") && $0.hasSuffix("(3, 48)") })
    }

    @Test func `a checkpoint is whole or it is said what is wrong, and a run names its newest whole one`() throws {
        let folder = try ScratchFolder()
        let store = CheckpointStore(folder: folder.path + "/checkpoints")
        for step in [1, 2] {
            try store.save(step: step, keep: 2) { (path, steps) throws(FileError) in
                try writeTensors(path + "/model.safetensors", "a", steps: steps)
            }
        }
        let (old, new) = (store.folder + "/step-1", store.folder + "/step-2")
        #expect(
            try Inspection.lines(new) == [
                "complete: every file matches the manifest", "", "model.safetensors", "a  F32  (2, 1)",
                "1 tensor, 2 values, 8 bytes",
            ])
        #expect(
            try Inspection.lines(folder.path) == ["checkpoints: step-1, step-2", "newest whole checkpoint: \(new)"])
        try writeTensors(new + "/model.safetensors", "b")
        let error = #expect(throws: FileError.self) { try Inspection.lines(new) }
        #expect(error?.path == new + "/model.safetensors")
        let lines = try Inspection.lines(folder.path)
        #expect(lines[1] == "newest whole checkpoint: \(old)")
        #expect(
            lines[2].hasPrefix("passed over step-2: \(new)/model.safetensors: differs from the SHA-256 in its manifest")
        )
    }

    @Test func `a Git LFS pointer is recognized`() throws {
        let folder = try ScratchFolder()
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 438000000\n"
        for name in ["model.safetensors", "config.json"] {
            try Data("{}".utf8).write(to: folder.url("config.json"))
            try Data(pointer.utf8).write(to: folder.url(name))
            for path in [folder.path, folder.path + "/model.safetensors"] {
                let error = #expect(throws: FileError.self) { try Inspection.lines(path) }
                #expect(error?.problem.hasPrefix("is a Git LFS pointer") == true)
            }
        }
    }

    @Test func `what is none of these is refused by name`() throws {
        let folder = try ScratchFolder()
        for path in [folder.path, folder.path + "/none"] {
            let error = #expect(throws: FileError.self) { try Inspection.lines(path) }
            #expect(error?.path == path)
        }
    }
}
