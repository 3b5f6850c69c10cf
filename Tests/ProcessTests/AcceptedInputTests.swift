import Foundation
import Testing

/// Input that looks odd and is no error.
@Suite struct AcceptedInputTests {
    /// A run on these files whose bits are compared with those of the plain TSV file.
    func expectSameBits(_ name: String, _ contents: String, location: SourceLocation = #_sourceLocation) throws {
        let job = try SmallJob()
        try job.write(name, contents)
        let plain = try job.train("plain", "--max-steps", "2", "--batch-size", "8", location: location)
        let other = try job.train(
            "other", "--max-steps", "2", "--batch-size", "8", "--train", job.path(name), location: location)
        #expect(plain.digest == other.digest, sourceLocation: location)
    }

    static let samples = SmallText.samples(rows: 22, labels: ["0", "1", "2"], seed: 1)

    @Test func `carriage returns and a byte order mark change nothing`() throws {
        let table = SmallText.table(rows: 22, labels: ["0", "1", "2"], seed: 1)
        try expectSameBits("odd.tsv", "\u{FEFF}" + table.replacing("\n", with: "\r\n"))
        try expectSameBits("unended.tsv", String(table.dropLast()))
    }

    @Test func `CSV and JSON lines are read like TSV`() throws {
        let quoted = Self.samples.map { "\($0.label),\"\($0.text)\"\n" }.joined()
        try expectSameBits("data.csv", "label,sentence\n" + quoted)
        let objects = Self.samples.map { "{\"id\": [1, {}], \"label\": \($0.label), \"sentence\": \"\($0.text)\"}\n" }
            .joined()
        try expectSameBits("data.jsonl", objects)
    }

    @Test func `a megabyte on one line is truncated, counted and said`() throws {
        let job = try SmallJob()
        let long = String(repeating: "bel dan ", count: 131_072)
        try job.write("train.tsv", job.text("train.tsv") + "\(long)\t1\n\(String(repeating: "x", count: 1 << 20))\t0\n")
        let run = try ApusProcess(job.command("run", ["--max-length", "12", "--epochs", "1"]))
        #expect(run.status == 0, "\(run.complaint)")
        let truncated = Self.samples.count { $0.text.split(separator: " ").count > 10 } + 1
        #expect(run.output.contains("train: 24 samples"), "\(run.output)")
        // Two words of "bel dan " each time, [CLS] and [SEP]; one long word is a single unknown token.
        #expect(
            run.output.contains("longest 262146; \(truncated) were longer than --max-length 12 and are truncated"),
            "\(run.output)")
        #expect(try FinishedRun(job, "run").summary["truncated"] as? Int == truncated)
        let answer = try ApusProcess("predict", "--model", job.path("run/model"), input: long + "\n")
        #expect(answer.status == 0)
        #expect(answer.output.split(separator: "\n").count == 1)
    }

    @Test func `texts without a word of the vocabulary, and empty ones, are samples`() throws {
        let job = try SmallJob()
        try job.write("train.tsv", "sentence\tlabel\n\t0\n☃ 猫 é\t1\n  \t2\n")
        let run = try job.train("run", "--epochs", "1", "--batch-size", "2", "--lanes", "2")
        #expect(run.events("step").compactMap { $0["samples"] as? Int } == [2, 1])
    }

    @Test func `words as labels, and numbers that do not count from 0, become the model's names`() throws {
        for labels in [["bad", "good"], ["-1", "1"]] {
            let job = try SmallJob(labels: labels)
            let run = try ApusProcess(job.command("run", ["--max-steps", "1"], validation: true))
            #expect(run.status == 0, "\(run.complaint)")
            #expect(
                run.output.contains("newly initialized for 2 classes (\(labels.joined(separator: ", ")))"),
                "\(run.output)")
            #expect(try job.text("run/model/config.json").contains("\"0\": \"\(labels[0])\""))
        }
    }

    @Test func `a class is weighted by the name in the data or by the model's`() throws {
        let job = try SmallJob()
        let one = try job.train("one", "--max-steps", "2", "--class-weights", "1=2", "0=0.5")
        let other = try job.train("other", "--max-steps", "2", "--class-weights", "LABEL_1=2", "LABEL_0=0.5")
        #expect(one.digest == other.digest)
    }

    @Test func `a model that names its tensors without a prefix gives the same bits`() throws {
        let job = try SmallJob()
        let plain = try job.train("plain", "--max-steps", "2")
        let file = try job.bytes("model/model.safetensors")
        let length = file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let header = String(decoding: file.dropFirst(8).prefix(length), as: UTF8.self).replacing("\"bert.", with: "\"")
        let size = (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> ($0 * 8)) }
        try Data(size + Array(header.utf8) + file.dropFirst(8 + length)).write(
            to: job.folder.url("model/model.safetensors"))
        #expect(try job.train("other", "--max-steps", "2").digest == plain.digest)
    }
}
