import Foundation
import Testing

/// Bad input ends with status 2 and one line, before anything is written.
@Suite struct RefusedInputTests {
    /// One thing that is wrong with a job that is right otherwise.
    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// What the line has to say.
        let words: [String]
        var options: [String] = []
        /// Spoils the job; its result is added to the options.
        var spoil: @Sendable (SmallJob) throws -> [String] = { _ in [] }

        init(
            _ name: String, _ words: String..., options: [String] = [],
            spoil: @escaping @Sendable (SmallJob) throws -> [String] = { _ in [] }
        ) {
            testDescription = name
            self.words = words
            self.options = options
            self.spoil = spoil
        }

        /// Training data with these contents.
        static func data(
            _ name: String, _ words: String..., file: String = "bad.tsv", options: [String] = [], contents: String
        ) -> Fault {
            Fault(name, words, options) { job in
                try job.write(file, contents)
                return ["--train", job.path(file)]
            }
        }

        /// A config.json with one value changed.
        static func configuration(_ key: String, _ value: String, _ words: String...) -> Fault {
            Fault("config.json with \(key) \(value)", words, []) { job in
                let lines = try job.text("model/config.json").split(separator: "\n").map { line in
                    line.contains("\"\(key)\":")
                        ? "  \"\(key)\": \(value)\(line.hasSuffix(",") ? "," : "")" : String(line)
                }
                try job.write("model/config.json", lines.joined(separator: "\n"))
                return []
            }
        }

        private init(
            _ name: String, _ words: [String], _ options: [String],
            spoil: @escaping @Sendable (SmallJob) throws -> [String]
        ) {
            testDescription = name
            self.words = words
            self.options = options
            self.spoil = spoil
        }
    }

    func expectRefused(_ fault: Fault) throws {
        let job = try SmallJob()
        let options = try fault.spoil(job) + fault.options
        let before = try job.contents()
        let run = try ApusProcess(job.command("run", options))
        expectOneLine(run, status: 2)
        for word in fault.words { #expect(run.complaint.contains(word), "\(run.complaint)") }
        #expect(run.output.isEmpty)
        #expect(try job.contents() == before)
    }

    @Test(arguments: [
        Fault("learning rate nan", "--learning-rate is nan", "finite", options: ["--learning-rate", "nan"]),
        Fault("learning rate infinite", "--learning-rate is inf", options: ["--learning-rate", "inf"]),
        Fault("learning rate below zero", "--learning-rate is -1", options: ["--learning-rate", "-1"]),
        Fault("no batch", "--batch-size is 0", "at least 1", options: ["--batch-size", "0"]),
        Fault("no lanes", "--lanes is 0", "at least 1", options: ["--lanes", "0"]),
        Fault("no threads", "--threads is 0", "at least 1", options: ["--threads", "0"]),
        Fault(
            "more lanes than any memory holds", "--lanes is 2147483647", "at most 65536",
            options: ["--lanes", "2147483647"]),
        Fault(
            "more threads than any machine runs", "--threads is 2147483647", "at most 4096",
            options: ["--threads", "2147483647"]),
        Fault(
            "positions beyond all memory", "GB, this machine has", "--max-length",
            options: ["--max-length", "2147483647", "--extend-positions"]),
        Fault("no epochs", "--epochs is 0", options: ["--epochs", "0"]),
        Fault("no steps", "--max-steps is 0", options: ["--max-steps", "0"]),
        Fault("certain dropout", "--dropout is 1", options: ["--dropout", "1"]),
        Fault("clipping to nothing", "--max-grad-norm is 0", options: ["--max-grad-norm", "0"]),
        Fault("decay below zero", "--weight-decay is -0.1", options: ["--weight-decay", "-0.1"]),
        Fault("samples above the positions", "--max-length is 41", "40 positions", options: ["--max-length", "41"]),
        Fault("samples without room", "--max-length is 2", options: ["--max-length", "2"]),
        Fault("an unknown flag", "--bogus", "see 'apus help train'", options: ["--bogus", "1"]),
        Fault("a count that overflows", "--batch-size", options: ["--batch-size", "9999999999999"]),
        Fault(
            "a frozen name of nothing", "--freeze 'bert.tail.*'", "apus inspect", options: ["--freeze", "bert.tail.*"]),
        Fault("a frozen layer that is not there", "--freeze 'layers 7'", options: ["--freeze", "layers 7"]),
        Fault("everything frozen", "--freeze leaves nothing to train", options: ["--freeze", "*"]),
        Fault("an unknown key", "line 1: unknown key 'batch-sizes'", "did you mean 'batch-size'?") { job in
            try job.write("run.yaml", "batch-sizes: 4\n")
            return ["--config", job.path("run.yaml")]
        },
    ])
    func `options that no run can have`(fault: Fault) throws { try expectRefused(fault) }

    @Test(arguments: [
        Fault(
            "all groups frozen", "--freeze leaves nothing to train",
            options: ["--freeze", "encoder", "pooler", "classifier"]),
        Fault("a layer decay of nothing", "--layer-decay is 0", options: ["--layer-decay", "0"]),
        Fault(
            "a rate for only the head", "--freeze encoder",
            options: ["--learning-rate", "0", "--head-learning-rate", "1e-3"]),
        Fault(
            "adapters of a frozen encoder", "--lora-rank", "--freeze",
            options: ["--freeze", "encoder", "--lora-rank", "4"]),
        Fault(
            "letting in what stays frozen", "--unfreeze-every", "--freeze",
            options: ["--freeze", "encoder", "--unfreeze-every", "1"]),
        Fault(
            "slowing what is frozen", "--layer-decay", "--freeze",
            options: ["--freeze", "encoder", "--layer-decay", "0.9"]),
        Fault(
            "a rate of a frozen head", "--head-learning-rate", "--freeze",
            options: ["--freeze", "classifier", "--head-learning-rate", "1e-3"]),
        Fault(
            "a pooler that is forgotten and frozen", "bert.pooler", "at random",
            options: ["--reinitialize-layers", "1", "--freeze", "pooler"]),
        Fault("a new head that is frozen", "classifier", "at random", options: ["--freeze", "classifier"]) { job in
            try job.write("two.tsv", "sentence\tlabel\nbel\tgood\ndan\tbad\n")
            return ["--train", job.path("two.tsv")]
        },
        Fault("evaluations without validation", "--eval-every needs validation data", options: ["--eval-every", "2"]),
        Fault("a share of nothing", "--validation-split is 0", options: ["--validation-split", "0"]),
        Fault("a share that leaves no row", "leaves none on one side", options: ["--validation-split", "0.001"]),
        Fault("a share beside a file", "--validation-split") {
            ["--validation", $0.validation, "--validation-split", "0.1"]
        },
        Fault("a seed beside seeds", "--seeds", "--seed", options: ["--seeds", "0,1", "--seed", "4"]),
        Fault(
            "labels for hidden words", "--label-column is for --task",
            options: ["--task", "masked-lm", "--label-column", "label"]),
        Fault(
            "more forgotten layers than there are", "the model has 3 encoder layers",
            options: ["--reinitialize-layers", "4"]),
        Fault(
            "forgotten and frozen", "would freeze layer 2 at random",
            options: ["--reinitialize-layers", "1", "--freeze", "layers 2"]),
        Fault(
            "from scratch and frozen", "no source weights to keep",
            options: ["--from-scratch", "--freeze", "embeddings"]),
        Fault(
            "from scratch and some layers", "leave one out", options: ["--from-scratch", "--reinitialize-layers", "1"]),
        Fault("unfreezing of nothing", "--unfreeze-every is 0", options: ["--unfreeze-every", "0"]),
        Fault(
            "unfreezing without a first epoch", "--unfreeze-every begins with only pooler and head",
            options: ["--unfreeze-every", "1", "--freeze", "pooler", "classifier"]),
        Fault("adapters of rank 0", "--lora-rank is 0", options: ["--lora-rank", "0"]),
        Fault(
            "adapters beyond all memory", "must be at most 65536", "--lora-rank",
            options: ["--lora-rank", "2147483647"]),
        Fault(
            "adapters on what is not there", "'querry'", "did you mean 'query'?",
            options: ["--lora-rank", "2", "--lora-targets", "querry"]),
        Fault("adapters without a rank", "--lora-alpha needs adapters", options: ["--lora-alpha", "8"]),
        Fault("adapters from scratch", "leave one out", options: ["--lora-rank", "2", "--from-scratch"]),
        Fault(
            "adapters over random layers", "--reinitialize-layers",
            options: ["--lora-rank", "2", "--reinitialize-layers", "1"]),
        Fault("patience without validation", "--patience needs validation data", options: ["--patience", "2"]),
        Fault("a metric without validation", "--metric needs validation data", options: ["--metric", "loss"]),
        Fault("a metric that is not one", "metric is 'f2'", "macro-f1", options: ["--metric", "f2"]),
        Fault("a metric of another task", "--metric pearson", "regression") {
            ["--metric", "pearson", "--validation", $0.validation]
        },
        Fault("seeds that are no numbers", "--seeds is 0,x", options: ["--seeds", "0,x"]),
        Fault("the same seed twice", "--seeds is 1,1", options: ["--seeds", "1,1"]),
        Fault("seeds of a job that cannot begin", "nowhere.tsv: there is no such file") {
            ["--seeds", "0,1", "--test", $0.path("nowhere.tsv")]
        },
        Fault("no file of words", "nowhere.txt: there is no such file") { ["--add-tokens", $0.path("nowhere.txt")] },
        Fault("no new words", "has no word that the vocabulary lacks") { job in
            try job.write("words.txt", "ban\ndel\n")
            return ["--add-tokens", job.path("words.txt")]
        },
        Fault("samples above the positions, with the way out", "--extend-positions", options: ["--max-length", "41"]),
    ])
    func `contradictions about what is trained`(fault: Fault) throws { try expectRefused(fault) }

    @Test(arguments: [
        Fault(
            "a source task without data", "--source-task is for a source task", "--source-train",
            options: ["--source-task", "regression"]),
        Fault("lambda without a source", "--lambda is for a source task", options: ["--lambda", "0.5"]),
        Fault(
            "shared layers without a source",
            "--shared-layers is for a source "
                + "task", options: ["--shared-layers", "1"]),
        Fault("a source file that is not there", "nowhere.tsv: there is no such file") {
            ["--source-train", $0.path("nowhere.tsv")]
        },
        Fault(
            "a source task of another kind", "--source-task is multi-label", "classification, regression or masked-lm"
        ) {
            ["--source-train", $0.data, "--source-task", "multi-label"]
        },
        Fault("lambda below zero", "--lambda is -1", "at least 0") { ["--source-train", $0.data, "--lambda", "-1"] },
        Fault("a schedule without an end", "--lambda-end is missing") {
            ["--source-train", $0.data, "--lambda-schedule", "linear"]
        },
        Fault("an end without a schedule", "--lambda-schedule is constant") {
            ["--source-train", $0.data, "--lambda-end", "2"]
        },
        Fault("more shared layers than there are", "--shared-layers is 4, the model in", "has 3") {
            ["--source-train", $0.data, "--shared-layers", "4"]
        },
        Fault("no shared layer", "--shared-layers is 0", "at least 1") {
            ["--source-train", $0.data, "--shared-layers", "0"]
        },
        Fault("no source batch", "--source-batch-size is 0") {
            ["--source-train", $0.data, "--source-batch-size", "0"]
        },
        Fault("source words that are no numbers", "is not a finite number, as regression needs") { job in
            try job.write("source.tsv", "sentence\tlabel\nbel\tgood\n")
            return ["--source-train", job.path("source.tsv"), "--source-task", "regression"]
        },
        Fault(
            "smoothing of numbers", "--label-smoothing is for --task",
            options: ["--task", "regression", "--label-smoothing", "0.1"]),
        .data(
            "smoothing of labels that are numbers", "--label-smoothing is for --task",
            "the labels are those of regression: leave it out", options: ["--label-smoothing", "0.1"],
            contents: "sentence\tlabel\nbel\t0.5\nbel\t1.25\n"),
        Fault("smoothing of all", "--label-smoothing is 1", options: ["--label-smoothing", "1"]),
        Fault("pooling of words", "--pooling is for --task", options: ["--task", "masked-lm", "--pooling", "mean"]),
        Fault(
            "whole words without hiding", "--whole-word-masking is for --task masked-lm",
            options: ["--task", "classification", "--whole-word-masking"]),
        Fault(
            "weights of an unknown class", "--class-weights names the label '9'", "0, 1, 2",
            options: ["--class-weights", "9=2"]),
        Fault(
            "weights of an unknown class by number", "--class-weights names the label 'LABEL_3'", "0, 1, 2",
            options: ["--class-weights", "LABEL_3=2"]),
        Fault("weights without a number", "'0=x'", "LABEL=WEIGHT", options: ["--class-weights", "0=x"]),
        Fault("a table for words", "has no single words", ".conll", options: ["--task", "token-classification"]),
        .data(
            "several columns for a class", "2 labels, classification needs one",
            options: ["--task", "classification", "--label-column", "label,other"],
            contents: "sentence\tlabel\tother\nbel\t0\t1\ndan\t1\t0\n"),
        .data(
            "the text for a label", "--label-column names \"sentence\", and no other column looks like a text",
            options: ["--label-column", "label,sentence"], contents: "sentence\tlabel\nbel\t0\ndan\t1\n"),
    ])
    func `tasks and losses that do not fit`(fault: Fault) throws { try expectRefused(fault) }

    @Test(arguments: [
        Fault("a folder that is not there", "nowhere", "model folder") { ["--model", $0.path("nowhere")] },
        Fault("a file in place of the folder", "model folder") { ["--model", $0.data] },
        Fault("a file of the model", "is a file", "--model") { ["--model", $0.model + "/config.json"] },
        Fault("a slip in the path", "did you mean", "/model?") { ["--model", $0.path("modell")] },
        Fault("weights that Git did not fetch", "model.safetensors: is a Git LFS pointer") { job in
            try job.write(
                "model/model.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n")
            return []
        },
        Fault("no weights", "has no model.safetensors") { try $0.remove("model/model.safetensors") },
        Fault("no configuration", "has no config.json") { try $0.remove("model/config.json") },
        Fault("no vocabulary", "neither tokenizer.json nor vocab.txt") { try $0.remove("model/vocab.txt") },
        Fault("a configuration that is not JSON", "config.json", "is not a JSON object") { job in
            try job.write("model/config.json", "{\"hidden_size\": ")
            return []
        },
        Fault("a vocabulary of another size", "the vocabulary has 212 tokens, config.json says 211") { job in
            try job.write("model/vocab.txt", (SmallText.vocabulary + ["more"]).joined(separator: "\n") + "\n")
            return []
        },
        .configuration("num_attention_heads", "5", "hidden_size 48 is not a multiple of num_attention_heads 5"),
        .configuration("num_attention_heads", "0", "num_attention_heads is 0"),
        .configuration("num_hidden_layers", "0", "num_hidden_layers is 0"),
        .configuration("num_hidden_layers", "4", "has no tensor bert.encoder.layer.3."),
        .configuration("hidden_size", "-48", "hidden_size is -48"),
        .configuration("hidden_size", "9223372036854775807", "hidden_size is"),
        .configuration("hidden_size", "96", "has shape [40, 48], config.json asks for [40, 96]"),
        .configuration("hidden_size", "300000", "has shape [40, 48], config.json asks for [40, 300000]"),
        .configuration("hidden_size", "1048576", "describes a model of"),
        .configuration("num_hidden_layers", "1000000", "num_hidden_layers is 1000000"),
        .configuration("hidden_dropout_prob", "1.5", "hidden_dropout_prob is 1.5"),
        .configuration("intermediate_size", "1e300", "intermediate_size is"),
        .configuration("vocab_size", "0", "vocab_size is 0"),
        .configuration("layer_norm_eps", "0", "layer_norm_eps is 0"),
        .configuration("hidden_act", "\"swish\"", "hidden_act is swish"),
        Fault("pairs for a model of one token type", "has 1 token type, pairs of texts need 2") { job in
            let json = try job.text("model/config.json").replacing(
                "\"type_vocab_size\": 2", with: "\"type_vocab_size\": 1")
            try job.write("model/config.json", json)
            try job.write("pairs.tsv", "sentence1\tsentence2\tlabel\nbel\tdan\t0\ndan\tbel\t1\n")
            return ["--train", job.path("pairs.tsv")]
        },
        .configuration("model_type", "\"gpt2\"", "model_type is gpt2"),
    ])
    func `a model folder that cannot be used`(fault: Fault) throws { try expectRefused(fault) }

    @Test(arguments: [
        Fault("a file that is not there", "nowhere.tsv: there is no such file") {
            ["--train", $0.path("nowhere.tsv")]
        },
        Fault("a folder", "the folder has no train data") { job in
            try FileManager.default.createDirectory(
                at: job.folder.url("folder.tsv"), withIntermediateDirectories: false)
            return ["--train", job.path("folder.tsv")]
        },
        .data("empty", "bad.tsv: is empty", contents: ""),
        .data("header only", "has a header and no rows", contents: "sentence\tlabel\n"),
        .data(
            "an unknown ending", "the suffix \".txt\" is unknown", "--input-format", file: "bad.txt",
            contents: "bel dan\ndan bel\n"),
        .data(
            "text without labels", "--task masked-lm", file: "bad.txt", options: ["--input-format", "text"],
            contents: "bel dan\ndan bel\n"),
        .data(
            "a format that there is not", "input-format is 'xml'", "quoted-tsv", options: ["--input-format", "xml"],
            contents: "sentence\tlabel\nbel\t0\ndan\t1\n"),
        .data(
            "null", "line 1: \"sentence\" is null", file: "bad.jsonl",
            contents: "{\"sentence\": null, \"label\": "
                + "0}\n"),
        .data(
            "a decimal comma", "\"0,5\" may be numbers with a decimal comma",
            contents: "sentence\tlabel\nbel\t0,5\ndan\t1\n"),
        .data(
            "masked-lm with nothing to hide", "nothing to hide", file: "bad.txt", options: ["--task", "masked-lm"],
            contents: "☃ ☃\n☃\n"),
        .data(
            "flags that are not 0 or 1", "line 3: found \"2\", expected a 0 or 1",
            options: ["--task", "multi-label", "--label-column", "a,b"],
            contents: "sentence\ta\tb\nbel\t0\t1\ndan\t2\t0\n"),
        .data(
            "no column of the name", "no column \"words\"", "\"sentence\", \"label\"", "--text-column",
            options: ["--text-column", "words"], contents: "sentence\tlabel\nbel\t0\n"),
        .data("no label column", "no column \"label\"", "--label-column", contents: "sentence\tscore\nbel\t0\n"),
        .data(
            "ragged rows", "bad.tsv, line 3: 3 fields, the header has 2",
            contents: "sentence\tlabel\nbel\t0\ndan\tbel\t1\n"),
        .data(
            "an unclosed quote", "bad.csv, line 3: a quote is never closed", file: "bad.csv",
            contents: "sentence,label\nbel,0\n\"dan,1\n"),
        .data("an empty label", "line 2: the label is empty", contents: "sentence\tlabel\nbel\t\ndan\t1\n"),
        .data(
            "a class for each row", "10 different labels in 10 rows: is this the right column?", "--label-column",
            "--task regression", contents: "sentence\tlabel\n" + (0..<10).map { "bel\t\(100 + 7 * $0)\n" }.joined()),
        .data("no header", "the first line has no column names but data", contents: "bel dan\t0\ndan\t1\n"),
        .data(
            "a column in other case", "did you mean --text-column \"Sentence\"?",
            contents: "Sentence\tlabel\nbel\t0\ndan\t1\n"),
        .data(
            "one class", "every label is \"1\", expected at least 2 classes",
            contents: "sentence\tlabel\nbel\t1\ndan\t1\n"),
        .data(
            "broken JSON", "bad.jsonl, line 2: ", file: "bad.jsonl",
            contents: "{\"sentence\": \"bel\", \"label\": 0}\n{\"sentence\": \n"),
        .data(
            "words for numbers", "line 3: the label \"good\" is not a finite number",
            options: ["--task", "regression"],
            contents: "sentence\tlabel\nbel\t0.5\ndan\tgood\n"),
        Fault("bytes that are not UTF-8", "line 2 is not UTF-8") { job in
            try Data("sentence\tlabel\n".utf8 + [0xFF, 0xFE] + "\t1\n".utf8).write(to: job.folder.url("bad.tsv"))
            return ["--train", job.path("bad.tsv")]
        },
        Fault(
            "a validation label that training lacks",
            "validation.tsv, line 3: the label \"9\" did not occur in training",
            "\"0\", \"1\", \"2\""
        ) { job in
            try job.write("validation.tsv", "sentence\tlabel\nbel\t0\ndan\t9\n")
            return ["--validation", job.validation]
        },
        Fault("a test file that is not there", "nowhere.tsv: there is no such file") {
            ["--test", $0.path("nowhere.tsv")]
        },
    ])
    func `data that cannot be used`(fault: Fault) throws { try expectRefused(fault) }
}

extension SmallJob {
    func remove(_ name: String) throws -> [String] {
        try FileManager.default.removeItem(at: folder.url(name))
        return []
    }

    /// Every file and folder below this job's, with its size; locks, which hold a process number, without.
    func contents() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted().map { name in
            name.hasSuffix("/.lock")
                ? name : "\(name) \(try FileManager.default.attributesOfItem(atPath: path(name))[.size] ?? 0)"
        }
    }
}
