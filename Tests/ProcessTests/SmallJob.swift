import Foundation
import Testing

/// A small model, generated data and a place for runs, in a fresh folder; removed with its last user.
struct SmallJob {
    let folder: ScratchFolder
    var model: String { folder.url("model").path }
    var data: String { folder.url("train.tsv").path }
    var validation: String { folder.url("validation.tsv").path }

    /// - Parameters:
    ///   - samples: rows of the training data.
    ///   - labels: as data files write them; two or three.
    ///   - name: of the folder, if that is not to be an ordinary one.
    init(samples: Int = 22, labels: [String] = ["0", "1", "2"], in name: String? = nil) throws {
        folder = try ScratchFolder(name)
        try FileManager.default.createDirectory(at: folder.url("model"), withIntermediateDirectories: false)
        let golden = repository.appending(path: "Tests/Fixtures/golden/classify")
        for name in ["config.json", "model.safetensors"] {
            try FileManager.default.copyItem(at: golden.appending(path: name), to: folder.url("model/\(name)"))
        }
        try write("model/vocab.txt", SmallText.vocabulary.joined(separator: "\n") + "\n")
        try write("train.tsv", SmallText.table(rows: samples, labels: labels, seed: 1))
        try write("validation.tsv", SmallText.table(rows: 10, labels: labels, seed: 2))
    }

    func path(_ name: String) -> String { folder.url(name).path }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    func write(_ name: String, _ text: String) throws { try Data(text.utf8).write(to: folder.url(name)) }

    func text(_ name: String) throws -> String { try String(contentsOf: folder.url(name), encoding: .utf8) }

    func bytes(_ name: String) throws -> Data { try Data(contentsOf: folder.url(name)) }

    /// The command line of a training run into the folder `output`.
    func command(_ output: String, _ options: [String] = [], validation: Bool = false) -> [String] {
        ["train", "--model", model, "--train", data, "--output", path(output), "--max-length", "20"]
            + (validation ? ["--validation", self.validation] : []) + options
    }

    /// A training run that has to succeed.
    @discardableResult
    func train(
        _ output: String, _ options: String..., validation: Bool = false, location: SourceLocation = #_sourceLocation
    ) throws -> FinishedRun {
        let run = try ApusProcess(command(output, options, validation: validation))
        #expect(run.status == 0, "\(run.complaint)", sourceLocation: location)
        return try FinishedRun(self, output)
    }

    /// A resumed run that must succeed.
    @discardableResult
    func resume(_ output: String, _ options: String..., location: SourceLocation = #_sourceLocation) throws
        -> FinishedRun
    {
        let run = try ApusProcess(["train", "--resume", "--output", path(output)] + options)
        #expect(run.status == 0, "\(run.complaint)", sourceLocation: location)
        return try FinishedRun(self, output)
    }
}

/// What a run left in its folder.
struct FinishedRun {
    let summary: [String: Any]
    let metrics: [[String: Any]]
    let weights: Data

    init(_ job: SmallJob, _ output: String) throws {
        summary = try #require(
            try JSONSerialization.jsonObject(with: job.bytes("\(output)/summary.json")) as? [String: Any])
        metrics = try Self.lines(job.text("\(output)/metrics.jsonl"))
        weights = try job.bytes("\(output)/model/model.safetensors")
    }

    var digest: String { summary["parameters_sha256"] as? String ?? "" }

    /// The steps that metrics.jsonl tells of, in its order.
    var steps: [Int] { events("step").compactMap { $0["step"] as? Int } }

    func events(_ kind: String) -> [[String: Any]] { metrics.filter { $0["event"] as? String == kind } }

    static func lines(_ text: String) throws -> [[String: Any]] {
        try text.split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }
}

/// Expects one error line that says what to fix, and its exit status.
func expectOneLine(_ run: ApusProcess, status: Int32, _ words: String..., location: SourceLocation = #_sourceLocation) {
    #expect(run.status == status, "\(run.complaint)", sourceLocation: location)
    #expect(run.complaint.hasPrefix("apus: "), "\(run.complaint)", sourceLocation: location)
    #expect(run.complaint.hasSuffix("\n"), sourceLocation: location)
    #expect(run.complaint.filter(\.isNewline).count == 1, "\(run.complaint)", sourceLocation: location)
    for word in words { #expect(run.complaint.contains(word), "\(word)", sourceLocation: location) }
}
