import Foundation
import Testing

/// A loss or gradient that is not a number ends the run before the update.
@Suite struct NonFiniteTests {
    static let options = [
        "--learning-rate", "1e30", "--batch-size", "4", "--lanes", "2", "--threads", "2", "--checkpoint-every", "1",
    ]

    @Test func `the step and the lane's samples are named and the last good state stays`() throws {
        let job = try SmallJob()
        let run = try ApusProcess(job.command("run", Self.options))
        expectOneLine(
            run, status: 1, "apus: step 2: the loss or gradient of lane ", "(training samples ",
            "lower the learning rate")
        #expect(!job.exists("run/summary.json"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: job.path("run/checkpoints")) == ["step-1"])
        #expect(try FinishedRun.lines(job.text("run/metrics.jsonl")).compactMap { $0["step"] as? Int } == [1])

        let samples = try #require(run.complaint.firstMatch(of: /training samples ([0-9, ]+)\)/)).1.split(
            separator: ", "
        ).compactMap {
            Int($0)
        }
        #expect(!samples.isEmpty && samples.count < 4)
        #expect(samples.allSatisfy { (0..<22).contains($0) })

        // The checkpoint is complete: from it the same step fails with the same message.
        let again = try ApusProcess("train", "--resume", "--output", job.path("run"))
        #expect(again.output.contains("resuming after step 1"))
        #expect(again.complaint == run.complaint)
        #expect(again.status == 1)
    }

    @Test(arguments: [false, true]) func `the weights before the step are on the disk when that is said`(
        isLaunched: Bool
    ) throws {
        let job = try SmallJob()
        let options = ["--learning-rate", "1e30", "--batch-size", "4", "--lanes", "2"]
        let run = try ApusProcess(isLaunched ? job.launch("run", workers: 2, options) : job.command("run", options))
        expectOneLine(run, status: 1, "apus: step 2: ", job.path("run/checkpoints/step-1"))
        #expect(job.exists("run/checkpoints/step-1/manifest.json"))
        let again = try ApusProcess("train", "--resume", "--output", job.path("run"))
        #expect(again.output.contains("resuming after step 1"))
        #expect(again.complaint == run.complaint)
    }

    @Test func `nothing is said to be kept where the first step cannot be made`() throws {
        let job = try SmallJob()
        for word in SmallText.vocabulary { try job.spoilRow(of: word) }
        let run = try ApusProcess(job.command("run", ["--batch-size", "4"]))
        expectOneLine(run, status: 1, "apus: step 1: ", "it is the first step", "choose another source model")
        #expect(!run.complaint.contains("learning rate"))
        #expect(!job.exists("run/checkpoints"))
    }

    @Test(arguments: ["train", "launch", "predict", "evaluate"])
    func `a source model with values that are not numbers is refused by the tensor's name`(command: String) throws {
        let job = try SmallJob()
        try job.spoilRow(of: "ban", with: [0, 0, 0xC0, 0x7F])
        let words =
            ["train", "launch"].contains(command)
            ? [command] + job.command("run", command == "launch" ? ["--workers", "2"] : []).dropFirst()
            : [command, "--model", job.model, "--input", job.data]
        let run = try ApusProcess(words)
        expectOneLine(run, status: 2, "tensor bert.embeddings.word_embeddings.weight has ", "not finite numbers")
        #expect(!job.exists("run"))
    }

    /// A word that only validation texts have, and whose row is too large to be squared.
    @Test(arguments: [["--threads", "2"], ["--workers", "2"]])
    func `a validation loss that is not a number costs no checkpoint and no summary`(way: [String]) throws {
        let job = try SmallJob()
        try job.spoilRow(of: "q")
        try job.write("validation.tsv", "sentence\tlabel\nq\t0\nban\t1\n")
        let options = ["--epochs", "2", "--batch-size", "8", "--lanes", "2", "--keep", "9", "--metric", "loss"] + way
        let command = job.command("run", options, validation: true)
        let run = try ApusProcess(way.contains("--workers") ? ["launch"] + command.dropFirst() : command)
        #expect(run.status == 0, "\(run.complaint)")
        let found = try FinishedRun(job, "run")
        #expect((found.summary["validation"] as? [String: Any])?["loss"] as? String == "nan")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: job.path("run/checkpoints")).sorted() == [
                "step-3", "step-6",
            ])
        // And the run can be made longer.
        #expect(try job.resume("run", "--epochs", "3").steps == Array(1...9))
    }

    @Test func `the debug mode names where it arose`() throws {
        let job = try SmallJob()
        let command = job.command("run", Self.options).dropFirst()
        let run = try ApusProcess(["launch", "--single", "--debug"] + command)
        expectOneLine(run, status: 1, "apus: step 2: ", "it arose in the ", " of training samples ")
        let stage = try #require(run.complaint.firstMatch(of: /it arose in the (.+) of training samples/)).1
        #expect(stage.contains("layer") || stage.contains("embeddings"), "\(stage)")
    }

    @Test func `the debug mode changes no bits`() throws {
        let job = try SmallJob()
        let plain = try job.train("plain", "--max-steps", "3", "--batch-size", "8", "--lanes", "2")
        let debug = try job.train("debug", "--max-steps", "3", "--batch-size", "8", "--lanes", "2", "--debug")
        #expect(plain.digest == debug.digest)
    }
}

extension SmallJob {
    /// Gives the model's row of a word another value everywhere: the largest finite one, or these four bytes.
    fileprivate func spoilRow(of word: String, with value: [UInt8] = [0xFF, 0xFF, 0x7F, 0x7F]) throws {
        let row = try #require(SmallText.vocabulary.firstIndex(of: word))
        var bytes = try bytes("model/model.safetensors")
        let length = bytes.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
        let header = try #require(try JSONSerialization.jsonObject(with: bytes[8..<(8 + length)]) as? [String: Any])
        let table = try #require(header["bert.embeddings.word_embeddings.weight"] as? [String: Any])
        let (shape, offsets) = (try #require(table["shape"] as? [Int]), try #require(table["data_offsets"] as? [Int]))
        let start = 8 + length + offsets[0] + 4 * row * shape[1]
        for place in 0..<shape[1] {
            bytes.replaceSubrange((start + 4 * place)..<(start + 4 * place + 4), with: value)
        }
        try bytes.write(to: folder.url("model/model.safetensors"))
    }
}
