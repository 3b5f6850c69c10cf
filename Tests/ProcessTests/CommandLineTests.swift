import ArgumentParser
import Foundation
import Testing

@testable import ApusCommand

/// What a user of a command sees: status, output stream, and number of lines.
@Suite struct CommandLineTests {
    /// One line on standard error that contains `words`, nothing on standard output, exit status 2.
    func expectRefused(_ run: ApusProcess, _ words: String, location: SourceLocation = #_sourceLocation) {
        #expect(run.status == 2, sourceLocation: location)
        #expect(run.output.isEmpty, sourceLocation: location)
        #expect(run.complaint.hasPrefix("apus: "), sourceLocation: location)
        #expect(run.complaint.contains(words), "\(run.complaint)", sourceLocation: location)
        #expect(
            run.complaint.split(separator: "\n", omittingEmptySubsequences: false).count == 2, "\(run.complaint)",
            sourceLocation: location)
    }

    @Test(arguments: [
        "train", "coordinate", "work", "launch", "evaluate", "predict", "tokenize", "verify", "check", "inspect",
        "keygen", "data", "convert",
    ])
    func `each command explains itself on standard output`(command: String) throws {
        let run = try ApusProcess(command, "--help")
        #expect(run.status == 0)
        #expect(run.output.contains("USAGE: apus \(command)"))
        #expect(run.complaint.isEmpty)
    }

    @Test func `without a command the commands are listed`() throws {
        let run = try ApusProcess()
        #expect(run.status == 0)
        #expect(run.output.contains("launch"))
    }

    @Test func `the version names the arithmetic and the vector kernels`() throws {
        let run = try ApusProcess("--version")
        #expect(run.status == 0)
        #expect(run.output.hasPrefix("apus 0.2.0, arithmetic 1, vector kernels "))
    }

    @Test func `help says that the batch is global`() throws {
        let words = try ApusProcess("train", "--help").output.split(whereSeparator: \.isWhitespace).joined(
            separator: " ")
        #expect(words.contains("Samples in one global batch, over all workers together, never per worker."))
    }

    @Test func `bad usage exits with 2 and one line`() throws {
        expectRefused(try ApusProcess("bogus"), "bogus")
        expectRefused(try ApusProcess("train", "--epcohs", "3"), "--epochs")
        expectRefused(
            try ApusProcess("train", "--epochs", "many"),
            "'many' is invalid for '--epochs <number>': see 'apus help train'")
        expectRefused(try ApusProcess("verify"), "case")
        expectRefused(try ApusProcess("coordinate"), "--workers")
        expectRefused(try ApusProcess("launch", "--workers", "0"), "--workers is 0")
        for workers in ["4097", "9223372036854775807"] {
            for command in ["launch", "coordinate"] {
                expectRefused(
                    try ApusProcess(command, "--workers", workers), "--workers is \(workers), must be 1 to 4096")
            }
        }
        expectRefused(try ApusProcess("chaos", "--first", "9223372036854775807", "--runs", "2"), "--first is ")
        expectRefused(try ApusProcess("chaos", "--runs", "9223372036854775807"), "--runs is ")
        expectRefused(
            try ApusProcess("coordinate", "--workers", "1", "--rendezvous-timeout", "9223372036854775807"),
            "--rendezvous-timeout is ")
        expectRefused(try ApusProcess("launch", "--single", "--workers", "2"), "--single is one process")
        expectRefused(
            try ApusProcess("predict", "--model", "/nowhere", "--text-column", "text"), "standard input is plain text")
        expectRefused(
            try ApusProcess(
                "evaluate", "--model", "/nowhere", "--input", "/nowhere", "--threads", "9223372036854775807"),
            "from 1 to 4096")
    }

    @Test func `values that no run can have exit with 2 before any work`() throws {
        let folder = try ScratchFolder()
        let output = folder.url("run").path
        expectRefused(try ApusProcess("train", "--output", output, "--learning-rate", "nan"), "--learning-rate is nan")
        expectRefused(try ApusProcess("train", "--output", output, "--learning-rate", "-1"), "--learning-rate is -1")
        expectRefused(try ApusProcess("train", "--output", output, "--batch-size", "0"), "--batch-size is 0")
        expectRefused(try ApusProcess("train", "--output", output, "--optimizer", "sgd"), "must be adam or adamw")
        #expect(!FileManager.default.fileExists(atPath: output))
    }

    @Test(arguments: ["--per-device-train-batch-size=8", "--per-device-train-batch-size"])
    func `a batch size per device is refused with the remedy`(flag: String) throws {
        expectRefused(try ApusProcess("launch", flag, "8"), "give --batch-size")
        expectRefused(try ApusProcess("work", flag, "8"), "give --batch-size")
    }

    @Test func `names of other trainers mean the same options`() throws {
        expectRefused(try ApusProcess("train", "--lr", "nan"), "--learning-rate is nan")
        expectRefused(try ApusProcess("work", "--lr", "1e-4"), "--learning-rate is for the coordinator")
        expectRefused(try ApusProcess("train", "--num-train-epochs=0"), "--epochs is 0")
        expectRefused(try ApusProcess("train", "--gradient-accumulation-steps", "0"), "--accumulate is 0")
        expectRefused(try ApusProcess("train", "--lr-scheduler-type", "step"), "schedule is 'step'")
        expectRefused(try ApusProcess("launch", "--nproc-per-node", "0"), "--workers is 0")
        expectRefused(
            try ApusProcess("train", "--resume", "--output-dir", "/nowhere/run"), "/nowhere/run has no config.yaml")
    }

    @Test func `underscores count as dashes in the names of options`() throws {
        expectRefused(try ApusProcess("train", "--batch_size", "0"), "--batch-size is 0")
        expectRefused(try ApusProcess("train", "--num_train_epochs=0"), "--epochs is 0")
        expectRefused(try ApusProcess("launch", "--nproc_per_node", "0"), "--workers is 0")
        let prediction = try ApusProcess("predict", "--model", "/nowhere", "--text_column", "a")
        expectRefused(prediction, "standard input is plain text")
    }

    @Test(arguments: [
        ("--logging-steps", "metrics.jsonl"), ("--eval_strategy", "--eval-every"),
        ("--save-strategy", "--checkpoint-every"),
        ("--fp16", "float32"),
        ("--resume_from_checkpoint", "--resume"), ("--report-to", "metrics.jsonl"), ("--do_train", "remove it"),
    ])
    func `an option of another trainer without a counterpart is refused with what to do`(
        flag: String, remedy: String
    ) throws {
        expectRefused(try ApusProcess("train", flag, "x"), remedy)
    }

    @Test func `a share of warm-up beyond the run is refused`() throws {
        expectRefused(try ApusProcess("train", "--warmup-ratio", "1.5"), "--warmup-ratio is 1.5")
        expectRefused(try ApusProcess("train", "--warmup-steps", "1.5"), "'1.5' is invalid for '--warmup-steps")
    }

    @Test func `a mistyped command is answered with the one that was meant`() throws {
        expectRefused(try ApusProcess("predct", "--model", "m"), "'predct' is not a command: did you mean 'predict'?")
        expectRefused(try ApusProcess("frobnicate"), "expected one of train, ")
    }

    @Test func `one process has no least number of workers`() throws {
        expectRefused(try ApusProcess("train", "--min-workers", "2"), "--min-workers is 2, apus train is one process")
        expectRefused(try ApusProcess("launch", "--single", "--min-workers", "2"), "--single is one process")
    }

    @Test(arguments: ["train", "launch", "work", "coordinate"])
    func `help shows training options in groups with two examples each`(command: String) throws {
        let help = try ApusProcess(command, "--help").output
        let lines = help.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        for group in ["DATA", "OPTIMIZATION", "TRANSFER", "RUN", "CLUSTER"] {
            let heading = try #require(lines.firstIndex(of: "\(group):"), "\(group)")
            let shown = group == "CLUSTER" && command == "train" ? "launch" : command
            for example in lines[(heading + 1)...(heading + 2)] {
                #expect(example.hasPrefix("  $ apus \(shown) --"))
                #expect(example.count <= 80)
                // As a shell reads it.
                let words = try ScriptRun(shell: "printf '%s\\n' \(example.dropFirst("  $ apus ".count))").text
                if command == "train" || command == "launch" {
                    _ = try ApusCommand.parseAsRoot(words.split(separator: "\n").map(String.init))
                }
            }
        }
    }

    @Test(arguments: [
        "evaluate", "predict", "tokenize", "verify", "check", "inspect", "keygen", "chaos", "train", "launch", "work",
        "coordinate", "data", "convert",
    ])
    func `each command's help has two examples`(command: String) throws {
        #expect(try ApusProcess(command, "--help").output.components(separatedBy: "apus \(command) ").count >= 4)
    }

    @Test(arguments: [
        "train", "coordinate", "work", "launch", "evaluate", "predict", "tokenize", "verify", "check", "inspect",
        "keygen", "chaos", "report", "runs", "data", "convert",
    ])
    func `help fits 80 columns, and its values say more than their options`(command: String) throws {
        let help = try ApusProcess(command, "--help").output
        for line in help.split(separator: "\n") {
            #expect(line.count <= 80)
            #expect(line.firstMatch(of: /--([a-z-]+) <\1>/) == nil, "\(line)")
        }
    }

    @Test(arguments: [
        ("launch lab.yaml", "did you mean --config lab.yaml or --cluster lab.yaml?"),
        ("train reviews.tsv", "did you mean --train reviews.tsv?"),
        ("predict --model m reviews.csv", "did you mean --input reviews.csv?"),
        ("check lab.yaml", "did you mean --cluster lab.yaml?"),
        ("train --nproc_per_node 2", "apus train is one process: use apus launch --workers 2"),
        ("work --nproc-per-node=3", "apus work is one worker: use apus launch --workers 3"),
        ("train --metric f1", "did you mean 'macro-f1' or 'entity-f1'?"),
        ("train --metric acuracy", "did you mean 'accuracy'?"),
        ("launch --debug --workers 2", "add --single"),
    ])
    func `what was meant is named`(line: String, answer: String) throws {
        expectRefused(try ApusProcess(line.split(separator: " ").map(String.init)), answer)
    }

    @Test func `help of check shows that a cluster file is required`() throws {
        let help = try ApusProcess("check", "--help").output
        #expect(help.contains("USAGE: apus check --cluster <file>"))
        #expect(try ApusProcess("check").status == 2)
    }

    @Test func `training options may follow two dashes after launch`() throws {
        expectRefused(try ApusProcess("launch", "--workers", "2", "--", "--epochs", "0"), "--epochs is 0")
    }

    @Test func `a missing default says how to fetch it`() throws {
        let cache = try ScratchFolder()
        let run = try ApusProcess("train", environment: ["XDG_CACHE_HOME": cache.path])
        expectRefused(run, "\(cache.path)/apus/models/all-MiniLM-L6-v2: run scripts/fetch.sh")
    }

    @Test func `the command line wins over the file, whose mistakes have a line`() throws {
        let folder = try ScratchFolder()
        let file = folder.url("run.yaml")
        try Data("batch-size: 0\nepochs: 0\n".utf8).write(to: file)
        expectRefused(try ApusProcess("train", "--config", file.path, "--epochs", "1"), "--batch-size is 0")
        try Data("epochs: 1\nbatch-sizes: 4\n".utf8).write(to: file)
        expectRefused(
            try ApusProcess("train", "--config", file.path),
            "line 2: unknown key 'batch-sizes': did you mean 'batch-size'?")
    }
}
