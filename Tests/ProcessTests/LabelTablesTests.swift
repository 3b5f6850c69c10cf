import Foundation
import Testing

/// Several labels a text, in every way that tables write them, from training to scoring.
@Suite struct LabelTablesTests {
    private static let texts = SmallText.samples(rows: 12, labels: ["0", "1"], seed: 3).map(\.text)

    private static let flags = texts.indices.map { [$0 % 2, $0 % 3 == 0 ? 1 : 0, $0 % 4 == 1 ? 1 : 0] }
    private static let names = ["toxic", "obscene", "threat"]

    private func text(_ row: (String, [Int]) -> String) -> String {
        zip(Self.texts, Self.flags).map { row($0, $1) + "\n" }.joined()
    }

    private func named(_ flags: [Int]) -> [String] { zip(Self.names, flags).filter { $1 == 1 }.map(\.0) }

    private func figures(_ run: ApusProcess) throws -> [String: Any] {
        #expect(run.status == 0, "\(run.complaint)")
        return try #require(try FinishedRun.lines(run.output).first)
    }

    @Test func `columns, vectors and lists train the same model and are scored alike`() throws {
        let job = try SmallJob()
        let files = [
            "columns.csv": "sentence,toxic,obscene,threat\n"
                + text { "\($0),\($1.map { String($0) }.joined(separator: ","))" },
            "vectors.jsonl": text {
                "{\"sentence\": \"\($0)\", \"labels\": [\($1.map { "\($0).0" }.joined(separator: ", "))]}"
            },
            "printed.csv": "sentence,labels\n" + text { "\($0),\"[\($1.map { String($0) }.joined(separator: " "))]\"" },
            "lists.csv": "sentence,labels\n"
                + text { "\($0),\"[\(named($1).map { "'\($0)'" }.joined(separator: ", "))]\"" },
        ]
        var digests: [String: String] = [:]
        for (name, contents) in files.sorted(by: { $0.key < $1.key }) {
            try job.write(name, contents)
            var options = ["--train", job.path(name), "--validation", job.path(name), "--max-steps", "3"]
            // The options given again name further columns.
            if name == "columns.csv" { options += ["--label-column", "toxic", "--label-column", "obscene,threat"] }
            let run = try ApusProcess(job.command(name + ".run", options))
            #expect(run.status == 0, "\(run.complaint)")
            let summary = try FinishedRun(job, name + ".run").summary
            let validation = try #require(summary["validation"] as? [String: Any])
            #expect(validation["exact_match"] != nil && (validation["labels"] as? [String])?.count == 3)
            digests[name] = summary["parameters_sha256"] as? String
            let data = try #require((summary["data"] as? [String: Any])?["train"] as? [String: Any])
            #expect((data["classes"] as? [[String: Any]])?.count == 3)
        }
        // The order of labels in lists of names is that of the alphabet.
        #expect(Set([digests["columns.csv"], digests["vectors.jsonl"], digests["printed.csv"]]).count == 1)

        let model = job.path("columns.csv.run/model-best")
        let columns = try figures(try ApusProcess("evaluate", "--model", model, "--input", job.path("columns.csv")))
        #expect(columns["labels"] as? [String] == Self.names)
        for name in ["vectors.jsonl", "printed.csv", "lists.csv"] {
            let other = try figures(try ApusProcess("evaluate", "--model", model, "--input", job.path(name)))
            #expect(
                other["f1"] as? [Double] == columns["f1"] as? [Double]
                    && other["exact_match"] as? Double == columns["exact_match"] as? Double)
        }
        try job.write(
            "narrow.jsonl",
            #"{"sentence": "bel", "labels": [1, 0]}"# + "\n" + #"{"sentence": "dan", "labels": [0, 0]}"# + "\n")
        expectOneLine(
            try ApusProcess("evaluate", "--model", model, "--input", job.path("narrow.jsonl")), status: 2,
            "2 values of 0 and 1, expected 3")
    }

    @Test func `JSON lines of words and tags train what a CoNLL file trains`() throws {
        let job = try SmallJob()
        let rows = Self.texts.map { $0.split(separator: " ").enumerated().map { ($1, $0 % 3 == 0 ? "B-X" : "O") } }
        try job.write(
            "words.conll", rows.map { "# a comment\n" + $0.map { "\($0) \($1)\n" }.joined() }.joined(separator: "\n"))
        let lines = rows.map { row in
            "{\"tokens\": [\(row.map { "\"\($0.0)\"" }.joined(separator: ", "))], \"ner_tags\": "
                + "[\(row.map { "\"\($0.1)\"" }.joined(separator: ", "))]}\n"
        }
        try job.write("words.jsonl", lines.joined())
        let conll = try job.train("conll", "--train", job.path("words.conll"), "--max-steps", "2")
        #expect(try job.train("json", "--train", job.path("words.jsonl"), "--max-steps", "2").digest == conll.digest)
        let answers = try ApusProcess("predict", "--model", job.path("json/model"), "--input", job.path("words.jsonl"))
        #expect(answers.status == 0)
        #expect(try FinishedRun.lines(answers.output).count == rows.count)
        let scored = try figures(
            try ApusProcess("evaluate", "--model", job.path("json/model"), "--input", job.path("words.jsonl")))
        #expect(scored["entity_f1"] != nil)
    }

    @Test func `a model of words reads the columns and lists that it was trained on`() throws {
        let job = try SmallJob()
        let rows = Self.texts.map { $0.split(separator: " ").map(String.init) }
        func tag(_ place: Int) -> String { place % 3 == 0 ? "B-X" : "O" }
        let numbered = rows.map { words in
            words.enumerated().map { "\($0 + 1)\t\($1)\t\(tag($0))\n" }.joined()
        }
        try job.write("words.conll", numbered.joined(separator: "\n"))
        func list(_ items: [String]) -> String { "[" + items.map { "'\($0)'" }.joined(separator: ", ") + "]" }
        let lines = rows.map { "\"\(list($0))\",\"\(list($0.indices.map(tag)))\"\n" }
        try job.write("words.csv", "tokens,ner_tags\n" + lines.joined())
        let columns = ["--text-column", "2", "--label-column", "3", "--max-steps", "2"]
        #expect(try ApusProcess(job.command("conll", ["--train", job.path("words.conll")] + columns)).status == 0)
        try job.train("lists", "--train", job.path("words.csv"), "--max-steps", "2")
        #expect(try FinishedRun(job, "lists").digest == FinishedRun(job, "conll").digest)
        var answers: [String] = []
        for file in ["words.conll", "words.csv"] {
            for model in ["conll/model", "lists/model"] {
                let options = file == "words.conll" && model == "lists/model" ? ["--text-column", "2"] : []
                let words = ["--model", job.path(model), "--input", job.path(file)] + options
                let answer = try ApusProcess(["predict"] + words)
                #expect(answer.status == 0, "\(answer.complaint)")
                answers.append(answer.output)
            }
        }
        #expect(Set(answers).count == 1)
        let scored = try ApusProcess("evaluate", "--model", job.path("conll/model"), "--input", job.path("words.conll"))
        #expect(try figures(scored)["entity_f1"] != nil)
    }

    @Test func `a masked-LM step always asks for something, and a trained head stays`() throws {
        let job = try SmallJob()
        try job.write("short.txt", "bel\n☃\ndan\nban\n")
        let options = ["--train", job.path("short.txt"), "--task", "masked-lm", "--batch-size", "1", "--epochs", "2"]
        let run = try ApusProcess(job.command("run", options))
        #expect(run.status == 0, "\(run.complaint)")
        let finished = try FinishedRun(job, "run")
        #expect(finished.steps.count == 6)
        #expect(finished.events("step").allSatisfy { ($0["loss"] as? Double ?? 0) > 0 })
        #expect(
            try figures(
                try ApusProcess("evaluate", "--model", job.path("run/model"), "--input", job.path("short.txt")))[
                    "samples"] as? Int == 3)

        try job.write(
            "run/model/config.json",
            job.text("run/model/config.json").replacing("BertForMaskedLM", with: "BertForPreTraining").replacing(
                "\"tie_word_embeddings\": true", with: "\"tie_word_embeddings\": false"))
        #expect(try job.text("run/model/config.json").contains("\"tie_word_embeddings\": false"))
        let again = try ApusProcess(job.command("again", ["--model", job.path("run/model")] + options))
        #expect(again.status == 0 && !again.output.contains("newly initialized"), "\(again.output)")
        // Transformers would draw the decoder, which the export lacks, from a normal distribution.
        #expect(try job.text("again/model/config.json").contains("\"tie_word_embeddings\": true"))
    }
}
