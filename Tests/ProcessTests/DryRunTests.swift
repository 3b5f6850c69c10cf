import Foundation
import Testing

/// The output of `--dry-run`, and that it writes nothing.
@Suite struct DryRunTests {
    @Test(arguments: ["train", "launch"])
    func `a dry run says what would be trained and writes nothing`(command: String) throws {
        let job = try SmallJob()
        let before = try job.contents()
        let options = ["--epochs", "2", "--batch-size", "4", "--freeze", "embeddings", "--dry-run"]
        let run = try ApusProcess([command] + job.command("run", options, validation: true).dropFirst())
        #expect(run.status == 0, "\(run.complaint)")
        #expect(run.output.contains("steps: 12, 6 an epoch, of 4 samples"), "\(run.output)")
        let line = try #require(run.output.split(separator: "\n").first { $0.hasPrefix("parameters: ") })
        let numbers = line.replacing(",", with: "").split { !$0.isNumber }.compactMap { Int($0) }
        // Embeddings: 211 words, 40 positions, 2 types and a layer norm of 48 each.
        let embeddings = (211 + 40 + 2 + 2) * 48
        #expect(numbers[1] - numbers[0] == embeddings, "\(line)")
        #expect(try job.contents() == before)
    }

    @Test func `a dry run counts the test data, for which the best model is read again`() throws {
        let job = try SmallJob()
        func line(_ beginning: String, _ options: [String]) throws -> String {
            let run = try ApusProcess(job.command("run", options + ["--dry-run"], validation: true))
            #expect(run.status == 0, "\(run.complaint)")
            return String(try #require(run.output.split(separator: "\n").first { $0.hasPrefix(beginning) }))
        }
        let time = try line("time on ", ["--test", job.data])
        #expect(time.contains(" for the test data, ") && time.hasSuffix(" in all but the writing of checkpoints"))
        #expect(try !line("time on ", []).contains("test data"))
    }

    @Test func `a dry run of a job says what each worker takes`() throws {
        let job = try SmallJob()
        let command = ["launch", "--workers", "2", "--threads", "1", "--dry-run"] + job.command("run", []).dropFirst()
        let run = try ApusProcess(command)
        #expect(run.status == 0, "\(run.complaint)")
        #expect(run.output.contains("memory of each of 2 workers: about "), "\(run.output)")
        #expect(run.output.contains("time on 2 threads of this machine"), "\(run.output)")
    }

    @Test func `a dry run finds what a run would be refused for`() throws {
        let job = try SmallJob()
        let run = try ApusProcess(job.command("run", ["--freeze", "encoder", "--lora-rank", "4", "--dry-run"]))
        expectOneLine(run, status: 2, "--lora-rank")
    }

    @Test func `other machines are not measured`() throws {
        let run = try ApusProcess("launch", "--cluster", "lab.yaml", "--dry-run")
        expectOneLine(run, status: 2, "--dry-run", "--cluster")
    }
}
