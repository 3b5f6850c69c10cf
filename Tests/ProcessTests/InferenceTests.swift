import Foundation
import Testing

/// Scoring and labelling with a trained model.
@Suite struct InferenceTests {
    struct Trained {
        let job: SmallJob
        let run: FinishedRun
        var best: String { job.path("run/model-best") }

        init(labels: [String] = ["bad", "good"]) throws {
            job = try SmallJob(labels: labels)
            run = try job.train(
                "run", "--epochs", "3", "--batch-size", "4", "--learning-rate", "2e-3", validation: true)
        }
    }

    func answers(_ run: ApusProcess) throws -> [[String: Any]] {
        #expect(run.status == 0, "\(run.complaint)")
        return try FinishedRun.lines(run.output)
    }

    @Test func `evaluation gives the figures of the summary`() throws {
        let trained = try Trained()
        let figures = try answers(
            try ApusProcess("evaluate", "--model", trained.best, "--input", trained.job.validation))
        #expect(figures.count == 1)
        let best = try #require(trained.run.summary["best_validation"] as? [String: Any])
        #expect(Set(best.keys).isSubset(of: figures[0].keys))
        #expect(figures[0]["accuracy"] as? Double == best["accuracy"] as? Double)
        #expect(figures[0]["confusion"] as? [[Int]] == best["confusion"] as? [[Int]])
        #expect(abs(try #require(figures[0]["loss"] as? Double) - (try #require(best["loss"] as? Double))) < 1e-9)
        #expect(figures[0]["samples"] as? Int == 10)
        let other = try answers(
            try ApusProcess("evaluate", "--model", trained.best, "--input", trained.job.validation, "--threads", "1"))
        #expect(other[0]["loss"] as? Double == figures[0]["loss"] as? Double)
    }

    @Test func `a file and standard input give the same answers in order`() throws {
        let trained = try Trained()
        let texts = SmallText.samples(rows: 70, labels: ["bad", "good"], seed: 5).map(\.text)
        try trained.job.write("texts.tsv", "sentence\n" + texts.joined(separator: "\n") + "\n")
        let file = try ApusProcess("predict", "--model", trained.best, "--input", trained.job.path("texts.tsv"))
        let stream = try ApusProcess(
            "predict", "--model", trained.best, "--threads", "1", input: texts.joined(separator: "\r\n"))
        let lines = try answers(file)
        #expect(lines.count == 70)
        #expect(lines.allSatisfy { ["bad", "good"].contains($0["label"] as? String) })
        for (place, other) in try answers(stream).enumerated() {
            #expect(other["label"] as? String == lines[place]["label"] as? String)
            for (a, b) in zip(
                try #require(other["logits"] as? [Double]), try #require(lines[place]["logits"] as? [Double]))
            {
                #expect(abs(a - b) < 1e-4)
            }
        }
        let alone = try answers(
            try ApusProcess("predict", "--model", trained.best, "--input", "-", input: texts[33] + "\n"))
        #expect(alone.count == 1)
        #expect(abs(try #require(alone[0]["logits"] as? [Double])[0] - (lines[33]["logits"] as! [Double])[0]) < 1e-4)
        let scores = try #require(lines[0]["scores"] as? [String: Double])
        #expect(scores.keys.sorted() == ["bad", "good"])
        #expect(abs(scores.values.reduce(0, +) - 1) < 1e-6)
    }

    @Test func `nothing in is nothing out and an empty line is a text`() throws {
        let trained = try Trained()
        let empty = try ApusProcess("predict", "--model", trained.best, input: "")
        #expect(empty.status == 0)
        #expect(empty.output.isEmpty && empty.complaint.isEmpty)
        #expect(try answers(try ApusProcess("predict", "--model", trained.best, input: "\nbel\n")).count == 2)
    }

    @Test func `pairs are trained on, scored and labelled`() throws {
        let job = try SmallJob()
        let rows = SmallText.samples(rows: 24, labels: ["no", "yes"], seed: 3).map {
            "\($0.text)\tdan bel\t\($0.label)"
        }
        try job.write("pairs.tsv", (["first\tsecond\tanswer"] + rows).joined(separator: "\n"))
        let columns = ["--text-column", "first", "--pair-column", "second"]
        let run = try ApusProcess(
            job.command(
                "run", ["--train", job.path("pairs.tsv"), "--label-column", "answer", "--max-steps", "2"] + columns))
        #expect(run.status == 0, "\(run.complaint)")
        let model = ["--model", job.path("run/model"), "--input", job.path("pairs.tsv")] + columns
        let lines = try answers(try ApusProcess(["predict"] + model))
        #expect(lines.count == 24)
        #expect(lines.allSatisfy { ["no", "yes"].contains($0["label"] as? String) })
        let figures = try answers(try ApusProcess(["evaluate"] + model + ["--label-column", "answer"]))
        #expect(figures[0]["samples"] as? Int == 24)
        try job.write("swapped.tsv", (["second\tfirst\tanswer"] + rows).joined(separator: "\n"))
        let swapped = try answers(
            try ApusProcess(
                ["predict", "--model", job.path("run/model"), "--input", job.path("swapped.tsv")] + columns))
        #expect(swapped.map { $0["logits"] as? [Double] } != lines.map { $0["logits"] as? [Double] })
    }

    @Test func `numbers with a fraction train a regression`() throws {
        let job = try SmallJob(labels: ["0.25", "-1.5"])
        let run = try job.train("run", "--epochs", "2", "--batch-size", "8", validation: true)
        let figures = try #require(run.summary["validation"] as? [String: Double])
        #expect(figures.keys.sorted() == ["loss", "mse", "pearson", "spearman"])
        let lines = try answers(try ApusProcess("predict", "--model", job.path("run/model-best"), input: "bel\ndan\n"))
        #expect(lines.allSatisfy { $0["label"] is Double && ($0["logits"] as? [Double])?.count == 1 })
        let scored = try answers(
            try ApusProcess("evaluate", "--model", job.path("run/model-best"), "--input", job.validation))
        #expect(
            abs(
                try #require(scored[0]["loss"] as? Double) - (run.summary["best_validation"] as! [String: Double])[
                    "loss"]!) < 1e-9)
        #expect(scored[0]["accuracy"] == nil)
    }

    @Test func `a model without a head, and data without a label, are refused`() throws {
        let trained = try Trained()
        let weights = try trained.job.bytes("model/model.safetensors")
        try Data(weights).replacing("classifier.weight", with: "classifies.weight").write(
            to: trained.job.folder.url("model/model.safetensors"))
        expectOneLine(
            try ApusProcess("predict", "--model", trained.job.model, input: "bel\n"), status: 2,
            "no classification or regression head",
            "apus train")
        try trained.job.write("texts.tsv", "sentence\nbel\n")
        expectOneLine(
            try ApusProcess("evaluate", "--model", trained.best, "--input", trained.job.path("texts.tsv")), status: 2,
            "no column \"label\"", "--label-column")
        expectOneLine(
            try ApusProcess("predict", "--model", trained.best, "--input", trained.job.path("none.tsv")), status: 2,
            "none.tsv: there is no such file")
        expectOneLine(
            try ApusProcess("predict", "--model", trained.best, "--max-length", "41", input: "bel\n"), status: 2,
            "40 positions")
    }

    @Test func `a classifier without an architecture answers as one with it`() throws {
        let trained = try Trained()
        let named = try answers(try ApusProcess("predict", "--model", trained.best, input: "bel\n"))
        let path = "run/model-best/config.json"
        try trained.job.write(
            path, trained.job.text(path).replacing("BertForSequenceClassification", with: "BertModel"))
        #expect(
            try answers(try ApusProcess("predict", "--model", trained.best, input: "bel\n"))[0]["logits"] as? [Double]
                == named[0]["logits"] as? [Double])
    }

    @Test func `a word table with more rows than the vocabulary has tokens is trained and asked`() throws {
        let job = try SmallJob()
        try job.write("model/vocab.txt", SmallText.vocabulary.dropLast(3).joined(separator: "\n") + "\n")
        try job.train("run", "--max-steps", "1")
        #expect(try job.text("run/model/config.json").contains("\"vocab_size\": 211"))
        #expect(try answers(try ApusProcess("predict", "--model", job.path("run/model"), input: "bel\n")).count == 1)
        // The first words that are added take the rows that are there.
        try job.write("words.txt", "blockbuster\n")
        try job.train("words", "--max-steps", "1", "--add-tokens", job.path("words.txt"))
        #expect(try job.text("words/model/config.json").contains("\"vocab_size\": 211"))
        #expect(try job.text("words/model/added_tokens.json").contains("\"blockbuster\": 208"))
        let tokens = try answers(
            try ApusProcess(
                "tokenize", "--model", job.path("words/model"), input: #"{"text": "bel blockbuster"}"# + "\n"))
        #expect((tokens[0]["ids"] as? [Int])?[2] == 208)
    }
}

extension Data {
    fileprivate func replacing(_ old: String, with new: String) -> Data {
        var copy = self
        while let range = copy.range(of: Data(old.utf8)) { copy.replaceSubrange(range, with: Data(new.utf8)) }
        return copy
    }
}
