import Foundation
import Testing

/// How `apus predict` reads texts and writes answers.
@Suite struct PredictTests {
    /// A model trained on a table with columns of other names than the usual ones.
    struct Trained {
        let job: SmallJob
        var model: String { job.path("run/model") }

        init(_ header: String, _ options: String..., row: (Int, (text: String, label: String)) -> String) throws {
            job = try SmallJob()
            let rows = SmallText.samples(rows: 24, labels: ["bad", "good"], seed: 3).enumerated().map {
                row($0.offset, $0.element)
            }
            try job.write("own.tsv", ([header] + rows).joined(separator: "\n") + "\n")
            let run = try ApusProcess(
                job.command("run", ["--train", job.path("own.tsv"), "--max-steps", "2"] + options))
            #expect(run.status == 0, "\(run.complaint)")
        }

        /// Classes of single texts.
        init() throws {
            try self.init("opinion\ttext\tstars", "--text-column", "opinion", "--label-column", "stars") {
                "\($1.text)\tnone\t\($1.label)"
            }
        }

        func predict(_ options: String..., input: String = "") throws -> ApusProcess {
            try ApusProcess(["predict", "--model", model] + options, input: input)
        }
    }

    @Test func `each line in a pipe is answered before the next one is written`() throws {
        let trained = try Trained()
        let running = try RunningApus(["predict", "--model", trained.model, "--with-text"], takesInput: true)
        for text in ["bel", "dan", "gom lik"] {
            try running.write(text + "\n")
            let line = try running.waitForOutput("\"text\":\"\(text)\"")
            #expect(line.contains("\"scores\":{\"bad\":"))
        }
        try running.write("nur")
        try running.closeInput()
        try running.waitForOutput("\"text\":\"nur\"")
        #expect(running.end().status == 0)
    }

    @Test func `a person at a terminal is asked for texts, and a pipe is not`() throws {
        let trained = try Trained()
        let command = "'\(ApusProcess.executable.path)' predict --model '\(trained.model)'"
        let terminal = try ScriptRun(shell: "printf 'bel\\n' | script -qec \"\(command)\" /dev/null", from: repository)
        #expect(terminal.status == 0)
        #expect(terminal.text.contains("Ctrl-D"))
        #expect(terminal.text.contains("\"label\":"))
        let pipe = try trained.predict(input: "bel\n")
        #expect(pipe.complaint.isEmpty)
    }

    @Test func `a table keeps the input's columns as they were`() throws {
        let trained = try Trained()
        try trained.job.write("in.csv", "id,opinion,\"a, b\"\n1,bel,\"say \"\"x\"\"\"\n2,\"dan\ngom\",\n")
        let run = try trained.predict("--input", trained.job.path("in.csv"), "--output", trained.job.path("out.csv"))
        #expect(run.status == 0, "\(run.complaint)")
        #expect(run.output.isEmpty)
        let text = try trained.job.text("out.csv")
        #expect(text.hasPrefix("id,opinion,\"a, b\",prediction,score,score_bad,score_good\n1,bel,\"say \"\"x\"\"\","))
        #expect(text.contains("\n2,\"dan\ngom\",,"))
        #expect(!trained.job.exists("out.csv.partial"))
        let shown = try trained.predict("--input", trained.job.path("in.csv"), "--format", "csv")
        #expect(shown.output == text)
        let fields = text.split(separator: "\n")[1].split(separator: ",")
        #expect(["bad", "good"].contains(fields[3]))
        let scores = try fields[4...6].map { try #require(Float($0)) }
        #expect(scores[0] == scores[1...2].max())
    }

    @Test func `JSON lines become a table, and a table JSON lines`() throws {
        let trained = try Trained()
        try trained.job.write(
            "in.jsonl",
            "{\"opinion\": \"bel\", \"id\": 7, \"tags\": [1, 2]}\n{\"id\": null, \"opinion\": \"dan\", \"tags\": []}\n")
        let table = try trained.predict("--input", trained.job.path("in.jsonl"), "--format", "tsv")
        let lines = table.output.split(separator: "\n")
        #expect(lines.first == "opinion\tid\ttags\tprediction\tscore\tscore_bad\tscore_good")
        #expect(lines[1].hasPrefix("bel\t7\t[1, 2]\t"))
        #expect(lines[2].hasPrefix("dan\t\t[]\t"))
        let objects = try trained.predict("--input", trained.job.path("in.jsonl"), "--with-text")
        #expect(try FinishedRun.lines(objects.output).map { $0["text"] as? String } == ["bel", "dan"])
    }

    @Test func `what cannot be written is refused before any work`() throws {
        let trained = try Trained()
        try trained.job.write("kept.csv", "mine")
        expectOneLine(
            try trained.predict("--output", trained.job.path("kept.csv"), input: "bel\n"), status: 2, "kept.csv",
            "not overwritten")
        #expect(try trained.job.text("kept.csv") == "mine")
        expectOneLine(
            try trained.predict("--output", trained.job.path("none/a.csv"), input: "bel\n"), status: 2,
            "none is not a folder")
        try trained.job.write("in.csv", "opinion,prediction\nbel,good\n")
        expectOneLine(
            try trained.predict("--input", trained.job.path("in.csv"), "--format", "csv"), status: 2,
            "has a column \"prediction\"", "--format jsonl")
        try trained.job.write("in.csv", "opinion\nbel\n\"dan\tgom\"\n")
        let tab = try trained.predict("--input", trained.job.path("in.csv"), "--output", trained.job.path("out.tsv"))
        expectOneLine(tab, status: 2, "in.csv, line 3", "--format csv")
        #expect(!trained.job.exists("out.tsv") && !trained.job.exists("out.tsv.partial"))
        expectOneLine(try trained.predict("--format", "csv", "--with-text", input: "bel\n"), status: 2, "--with-text")
    }

    @Test func `the columns of the training data are remembered`() throws {
        let trained = try Trained()
        let data = trained.job.path("own.tsv")
        let usual = try trained.predict("--input", data)
        let named = try trained.predict("--input", data, "--text-column", "opinion")
        let other = try trained.predict("--input", data, "--text-column", "text")
        #expect(usual.status == 0 && usual.output == named.output)
        #expect(usual.output != other.output)
        let scored = try ApusProcess("evaluate", "--model", trained.model, "--input", data)
        #expect(scored.status == 0, "\(scored.complaint)")
    }

    @Test func `numbers have the digits of a Float and no more`() throws {
        let trained = try Trained()
        let line = try trained.predict(input: "bel\n").output
        let numbers = line.matches(of: /-?\d+\.\d+(e-?\d+)?/).map { String($0.0) }
        #expect(numbers.count == 4)
        for number in numbers { #expect(Float(number)?.description == number) }
    }

    @Test func `targets of a regression keep their names`() throws {
        let trained = try Trained("sentence\tjoy\tanger", "--label-column", "joy,anger") {
            "\($1.text)\t0.\($0)\t\($0)"
        }
        let configuration = try trained.job.text("run/model/config.json")
        #expect(configuration.contains("\"0\": \"joy\"") && configuration.contains("\"anger\": 1"))
        let answer = try #require(try FinishedRun.lines(try trained.predict(input: "bel\n").output).first)
        let targets = try #require(answer["targets"] as? [String: Double])
        #expect(answer["scores"] as? [Double] == ["joy", "anger"].compactMap { targets[$0] })
        let table = try trained.predict("--format", "tsv", input: "bel\n")
        #expect(table.output.hasPrefix("text\tprediction_joy\tprediction_anger\nbel\t"))
        // Numbers in another order are other numbers: their head is not taken over.
        let again = try ApusProcess(
            "train", "--model", trained.model, "--train", trained.job.path("own.tsv"), "--label-column", "anger,joy",
            "--max-steps", "1",
            "--max-length", "20", "--output", trained.job.path("again"))
        #expect(again.output.contains("classifier.weight"))
    }

    @Test func `a model of pairs refuses single texts, and one of single texts takes no pairs unasked`() throws {
        let pairs = try Trained("first\tsecond\tlabel", "--text-column", "first", "--pair-column", "second") {
            "\($1.text)\tdan bel\t\($1.label)"
        }
        expectOneLine(try pairs.predict(input: "bel\n"), status: 2, "trained on pairs", "--input")
        try pairs.job.write("single.tsv", "sentence\nbel\n")
        expectOneLine(
            try pairs.predict("--input", pairs.job.path("single.tsv")), status: 2, "\"first\" and \"second\"",
            "--pair-column")
        try pairs.job.write("scored.tsv", "sentence\tlabel\nbel\tbad\n")
        expectOneLine(
            try ApusProcess("evaluate", "--model", pairs.model, "--input", pairs.job.path("scored.tsv")), status: 2,
            "trained on pairs", "--pair-column")
        #expect(try pairs.predict("--input", pairs.job.path("own.tsv")).status == 0)
        let single = try Trained()
        try single.job.write("pairs.tsv", "sentence1\tsentence2\nbel\tdan\n")
        expectOneLine(
            try single.predict("--input", single.job.path("pairs.tsv")), status: 2, "single texts", "--text-column")
        #expect(try single.predict("--input", single.job.path("pairs.tsv"), "--text-column", "sentence2").status == 0)
    }

    @Test func `a table on standard input is said`() throws {
        let trained = try Trained()
        let run = try trained.predict(input: "opinion\tstars\nbel\tgood\n")
        #expect(run.status == 0)
        #expect(run.complaint.filter(\.isNewline).count == 1)
        #expect(run.complaint.contains("--input-format tsv"))
        #expect(try FinishedRun.lines(run.output).count == 2)
    }

    @Test func `evaluate scores standard input as it does a file`() throws {
        let trained = try Trained()
        let table = "opinion\tstars\nbel\tgood\ndan gom\tbad\n"
        try trained.job.write("in.tsv", table)
        func evaluate(_ options: String..., input: String = "") throws -> ApusProcess {
            try ApusProcess(["evaluate", "--model", trained.model, "--input"] + options, input: input)
        }
        let file = try evaluate(trained.job.path("in.tsv"))
        #expect(file.status == 0 && !file.output.isEmpty)
        let named = try evaluate("-", "--input-format", "tsv", input: table)
        #expect(named.status == 0 && named.complaint.isEmpty && named.output == file.output)
        // By its first lines, which is said.
        let found = try evaluate("-", input: table)
        #expect(found.status == 0 && found.output == file.output)
        #expect(found.complaint.hasPrefix("apus: standard input: "))
        expectOneLine(try evaluate("-", input: ""), status: 2, "standard input: is empty")
        expectOneLine(try evaluate("-", input: "a b c\n"), status: 2, "standard input: ", "--input-format")
        expectOneLine(
            try evaluate("-", "--predictions", trained.job.path("scores"), input: table), status: 2, "--predictions",
            "--input")
        #expect(!trained.job.exists("scores"))
    }

    @Test func `a model that counts its classes twice and differently says which count decides`() throws {
        let trained = try Trained()
        let right = try trained.predict(input: "bel\n")
        let text = try trained.job.text("run/model/config.json")
        try trained.job.write("run/model/config.json", "{\"num_labels\": 7," + text.drop { $0 != "{" }.dropFirst())
        let wrong = try trained.predict(input: "bel\n")
        #expect(wrong.status == 0 && wrong.output == right.output)
        #expect(wrong.complaint.contains("num_labels is 7, id2label names 2"))
        #expect(try ApusProcess("inspect", trained.model).output.contains("num_labels is 7, id2label names 2"))
        try trained.job.write("run/model/config.json", "{\"num_labels\": -7," + text.drop { $0 != "{" }.dropFirst())
        expectOneLine(try trained.predict(input: "bel\n"), status: 2, "num_labels is -7")
    }

    @Test func `standard input of a named format is answered as a file of it is`() throws {
        let trained = try Trained()
        let table = "id\topinion\n1\tbel\n2\tdan gom\n"
        try trained.job.write("in.tsv", table)
        for options in [[], ["--format", "csv"]] {
            let file = try ApusProcess(
                ["predict", "--model", trained.model, "--input", trained.job.path("in.tsv")] + options)
            let piped = try ApusProcess(
                ["predict", "--model", trained.model, "--input-format", "tsv"] + options, input: table)
            #expect(piped.status == 0 && piped.complaint.isEmpty && piped.output == file.output)
        }
        let written = try trained.predict(
            "--input-format", "jsonl", "--output", trained.job.path("out.csv"),
            input: "{\"id\": 7, \"opinion\": \"bel\"}\n")
        #expect(written.status == 0, "\(written.complaint)")
        #expect(try trained.job.text("out.csv").hasPrefix("id,opinion,prediction,score,score_bad,score_good\n7,bel,"))
        let other = try trained.predict("--input-format", "tsv", "--text-column", "id", "--with-text", input: table)
        #expect(other.output.contains("\"text\":\"2\""))
        expectOneLine(try trained.predict("--input-format", "csv"), status: 2, "standard input: is empty")
        expectOneLine(
            try trained.predict("--input-format", "csv", input: "a,b\n1,2\n"), status: 2, "standard input: no column")
    }
}
