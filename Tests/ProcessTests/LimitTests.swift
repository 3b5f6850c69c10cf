import Foundation
import Testing

private let isSanitized = unsafe (dlsym(nil, "__asan_init") ?? dlsym(nil, "__tsan_init")) != nil

/// The program where the system allows it little: one line, or the run as ever, and never a hang.
@Suite(.enabled(if: !isSanitized, "sanitizers take addresses, threads and descriptors of their own"))
struct LimitTests {
    let job: SmallJob

    init() throws { job = try SmallJob() }

    private func run(
        _ limit: String, _ command: [String], _ options: [String] = ["--max-steps", "2", "--threads", "1"]
    ) throws -> ScriptRun {
        let words = (command + job.command("run", options).dropFirst()).map { "'\($0)'" }.joined(separator: " ")
        return try ScriptRun(shell: "ulimit \(limit) && exec timeout -k 5 60 '\(ApusProcess.executable.path)' \(words)")
    }

    private func expectRefusal(_ run: ScriptRun, _ option: String) {
        #expect(run.status == 2, "\(run.text)")
        let lines = run.text.split(separator: "\n")
        #expect(
            lines.count == 1 && lines.first?.hasPrefix("apus: ") == true
                && lines.first?.contains("ulimit \(option)") == true, "\(run.text)")
        #expect(!job.exists("run"))
    }

    @Test(arguments: [["train"], ["launch", "--workers", "3"], ["coordinate", "--workers", "3", "--insecure"]])
    func `too few descriptors are told before the run begins`(command: [String]) throws {
        expectRefusal(try run("-n 10", command), "-n")
    }

    @Test(arguments: [["train"], ["launch", "--workers", "2"]])
    func `too little address space is told before the run begins`(command: [String]) throws {
        expectRefusal(try run("-v 300000", command), "-v")
    }

    @Test func `a soft limit of descriptors that may be raised is raised`() throws {
        let words = job.command("run", ["--max-steps", "2", "--threads", "1"]).dropFirst().map { "'\($0)'" }.joined(
            separator: " ")
        let run = try ScriptRun(
            shell:
                "ulimit -S -n 16 && exec timeout -k 5 60 '\(ApusProcess.executable.path)' launch --workers 2 \(words)")
        #expect(run.status == 0, "\(run.text)")
    }

    @Test(.enabled(if: getuid() == 0, "needs root, who may become a user whose processes are limited"))
    func `too few processes are told before the run begins`() throws {
        let words = job.command("run", ["--max-steps", "2", "--threads", "1"]).dropFirst().map { "'\($0)'" }.joined(
            separator: " ")
        for command in ["train", "launch --workers 3"] {
            let run = try ScriptRun(
                shell:
                    "chmod -R a+rwX '\(job.path(""))' && exec prlimit --nproc=6 setpriv --reuid 54321 --regid 54321 "
                    + "--clear-groups env HOME=/tmp timeout -k 5 60 '\(ApusProcess.executable.path)' \(command) "
                    + "\(words)"
            )
            expectRefusal(run, "-u")
        }
    }

    @Test(
        .enabled(if: getuid() == 0, "needs root, who may become a user whose processes are limited"),
        arguments: ["train --nonsense", "train --threads 1 --model m --train t.tsv --output run", "predict --model m"])
    func `a process that can start no thread says so or what else is wrong`(command: String) throws {
        let run = try ScriptRun(
            shell: "chmod -R a+rwX '\(job.path(""))' && cd '\(job.path(""))' && exec timeout -k 5 60 setpriv "
                + "--reuid 54321 --regid 54321 --clear-groups env HOME=/tmp "
                + "prlimit --nproc=1 '\(ApusProcess.executable.path)' \(command)")
        #expect(run.status == 2, "\(run.text)")
        let lines = run.text.split(separator: "\n")
        #expect(lines.count == 1 && lines.first?.hasPrefix("apus: ") == true, "\(run.text)")
    }

    @Test(arguments: [["train"], ["launch", "--workers", "2"]])
    func `a limit on the size of files is told before the run begins`(command: [String]) throws {
        let run = try run("-f 1", command, ["--max-steps", "2", "--threads", "1"])
        #expect(run.status == 2, "\(run.status): \(run.text)")
        let last = run.text.split(separator: "\n").last
        #expect(last?.hasPrefix("apus: ") == true && last?.contains("ulimit -f") == true, "\(run.text)")
        #expect(!job.exists("run/metrics.jsonl"))
    }

    @Test func `a process computes on the processors that it is bound to`() throws {
        let words = job.command("run", ["--max-steps", "1"]).dropFirst().map { "'\($0)'" }.joined(separator: " ")
        let run = try ScriptRun(shell: "exec taskset -c 0 '\(ApusProcess.executable.path)' train \(words)")
        #expect(run.status == 0 && run.text.contains("1 process of 1 thread"), "\(run.text)")
    }
}
