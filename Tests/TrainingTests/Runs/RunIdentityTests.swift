import Foundation
import Testing

@testable import Configuration
@testable import Runs

/// What a resumed run compares: files, labels and options.
@Suite struct RunIdentityTests {
    private let whole = RunIdentity(
        data: ["train": "a1", "test": "b2"], model: ["config.json": "c3", "vocab.txt": "d4"], labels: "e5",
        options: "model: m\ntrain: t\noutput: o\nlearning-rate: 0.1\n", plannedSteps: 12, arithmetic: "kernels")

    private func changed(_ change: (inout RunIdentity) -> Void) throws -> [String] {
        var now = whole
        change(&now)
        return try now.differences(from: whole)
    }

    @Test func `each change is told with both values`() throws {
        #expect(try changed { _ in }.isEmpty)
        #expect(try changed { $0.data["train"] = "ff" } == ["the train data has changed (SHA-256 was a1…, is ff…)"])
        #expect(
            try changed { $0.model?["config.json"] = "ff" } == [
                "the source model's config.json has changed (SHA-256 was c3…, is ff…)"
            ])
        #expect(try changed { $0.labels = "ff" } == ["the list of labels has changed (SHA-256 was e5…, is ff…)"])
        let options = whole.options?.replacing("0.1", with: "0.2")
        #expect(try changed { $0.options = options } == ["learning-rate has changed (was 0.1, is 0.2)"])
        let both = try changed {
            $0.data["test"] = "0"
            $0.model?["vocab.txt"] = "0"
        }
        #expect(both.count == 2)
    }

    @Test func `a file that went and one that came are changes`() throws {
        #expect(
            try changed { $0.model?["vocab.txt"] = nil } == [
                "the source model's vocab.txt has changed (SHA-256 was d4…, is absent)"
            ])
        #expect(
            try changed { $0.model?["tokenizer_config.json"] = "1" }
                == ["the source model's tokenizer_config.json has changed (SHA-256 was absent, is 1…)"])
    }

    @Test func `a file in another place is no change, and how long and where a run goes may change`() throws {
        let options =
            "model: elsewhere/m\ntrain: elsewhere/t\noutput: o2\nlearning-rate: 0.1\nepochs: 9\nthreads: 7\nkeep: 5\n"
        #expect(
            try changed {
                ($0.options, $0.plannedSteps, $0.arithmetic) = (options, 36, "other kernels")
            }.isEmpty)
    }

    @Test func `what an older build did not write is not compared`() throws {
        #expect(try whole.differences(from: RunIdentity(data: whole.data)).isEmpty)
        #expect(try whole.differences(from: RunIdentity(data: ["train": "0", "test": "b2"])).count == 1)
    }

    @Test func `inputs name every file that is read`() throws {
        let run = try SmallRun(samples: 12)
        let identity = try run.inputs().identity
        #expect(identity.model?.keys.sorted() == ["config.json", "model.safetensors", "vocab.txt"])
        #expect(identity.data.keys.sorted() == ["train"])
        try Data("{}".utf8).write(to: URL(filePath: "\(run.folder)/tokenizer_config.json"))
        #expect(try run.inputs().identity.differences(from: identity).count == 1)
        #expect(try run.inputs { $0.learningRate = 0.5 }.identity.differences(from: identity).count == 2)
    }
}
