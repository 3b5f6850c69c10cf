import Files
import Foundation
import Testing

/// A resumed run has the inputs that it began with: source model, tokenizer, data and options.
@Suite struct ChangedSourceTests {
    static let options = [
        "--batch-size", "8", "--lanes", "2", "--checkpoint-every", "2", "--keep", "9", "--epochs", "2",
    ]

    enum Change: CaseIterable, CustomTestStringConvertible {
        case dropout, labels, vocabulary, newTokenizerFile, weights, data, options

        var testDescription: String { "\(self)" }

        /// The file whose change is reported.
        var file: String {
            switch self {
            case .dropout, .labels: "config.json"
            case .vocabulary: "vocab.txt"
            case .newTokenizerFile: "tokenizer_config.json"
            case .weights: "model.safetensors"
            case .data: "train data"
            case .options: "learning-rate"
            }
        }

        func make(_ job: SmallJob, run: String) throws {
            func replace(_ name: String, _ old: String, _ new: String) throws {
                let text = try job.text(name)
                #expect(text.contains(old))
                try job.write(name, text.replacing(old, with: new))
            }
            switch self {
            case .dropout:
                try replace("model/config.json", #""hidden_dropout_prob": "#, #""hidden_dropout_prob": 0.5, "was": "#)
            case .labels:
                var json = try JSONValue(parsing: FileSystem.read(job.path("model/config.json")))
                json["id2label"] = .object(["2", "1", "0"].enumerated().map { .init("\($0)", .string($1)) })
                try job.write("model/config.json", json.text)
            case .vocabulary:
                var lines = try job.text("model/vocab.txt").components(separatedBy: "\n")
                lines.swapAt(80, 81)
                try job.write("model/vocab.txt", lines.joined(separator: "\n"))
            case .newTokenizerFile: try job.write("model/tokenizer_config.json", #"{"do_lower_case": false}"#)
            case .weights:
                var bytes = try job.bytes("model/model.safetensors")
                bytes[bytes.count - 3] ^= 0x40
                try bytes.write(to: job.folder.url("model/model.safetensors"))
            case .data: try replace("train.tsv", "sentence\tlabel\n", "sentence\tlabel\nban\t0\n")
            case .options: try replace("\(run)/config.yaml", "learning-rate: 5e-05", "learning-rate: 6e-05")
            }
        }
    }

    @Test(arguments: Change.allCases, [0, 4])
    func `a change is refused with both values, and nothing is touched`(change: Change, step: Int) throws {
        let job = try SmallJob()
        #expect(try ApusProcess(job.command("whole", Self.options)).status == 0)
        try job.cutOff("whole", after: step, into: "run")
        try change.make(job, run: "run")
        let before = try job.contents()
        let run = try ApusProcess("train", "--resume", "--output", job.path("run"))
        expectOneLine(run, status: 2, change.file, "has changed (", "was ", "is ", "start a new run")
        #expect(try job.contents() == before)
        guard step > 0 else { return }
        let launched = try ApusProcess(
            "launch", "--workers", "1", "--threads", "1", "--resume", "--output", job.path("run"))
        #expect(launched.status == 2 && launched.complaint.contains(change.file), "\(launched.complaint)")
        #expect(try job.contents() == before)
    }

    @Test func `a coordinator that is started again refuses a tokenizer that changed meanwhile`() throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 1)
        try run.waitForEpoch(1)
        try Change.vocabulary.make(job, run: "run")
        kill(try #require(job.coordinators.first), SIGKILL)
        let end = run.end()
        #expect(end.status == 2)
        #expect(end.complaint.contains { $0.contains("vocab.txt has changed") }, "\(end.complaint)")
    }

    @Test func `files that were moved are the same files`() throws {
        let job = try SmallJob()
        #expect(try ApusProcess(job.command("whole", Self.options)).status == 0)
        try job.cutOff("whole", after: 4, into: "run")
        for name in ["model", "train.tsv"] {
            try FileManager.default.moveItem(atPath: job.path(name), toPath: job.path("moved-\(name)"))
        }
        let text = try job.text("run/config.yaml").replacing(job.model, with: job.path("moved-model")).replacing(
            job.data, with: job.path("moved-train.tsv"))
        try job.write("run/config.yaml", text)
        #expect(try job.resume("run").digest == FinishedRun(job, "whole").digest)
    }

    @Test func `a run of an older build goes on, and is compared from then on`() throws {
        let job = try SmallJob()
        #expect(try ApusProcess(job.command("whole", Self.options)).status == 0)
        try job.cutOff("whole", after: 2, into: "run")
        try job.makeOld("run")
        #expect(try job.resume("run").digest == FinishedRun(job, "whole").digest)
        try Change.vocabulary.make(job, run: "run")
        expectOneLine(
            try ApusProcess("train", "--resume", "--output", job.path("run"), "--epochs", "3"), status: 2,
            "vocab.txt has changed")
        // The data were always compared.
        try job.makeOld("run")
        try Change.data.make(job, run: "run")
        expectOneLine(
            try ApusProcess("train", "--resume", "--output", job.path("run"), "--epochs", "3"), status: 2,
            "train data has changed")
    }
}
