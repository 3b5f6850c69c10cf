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
        expectRefusal(try run("-v \(Self.leastAddresses + 40_000)", command), "-v")
    }

    /// KiB with which the program starts at all.
    private static let leastAddresses =
        (1...100).map { 20_000 * $0 }.first { limit in
            SSHServer.succeeds(
                "ulimit -v \(limit) && '\(ApusProcess.executable.path)' --version >/dev/null 2>&1")
        } ?? 0

    /// Every command, with options that make it work if the limits allow.
    private func commands() -> [[String]] {
        let training = job.command("run", ["--max-steps", "2", "--threads", "2"], validation: true).dropFirst()
        let scoring = ["--model", job.model, "--threads", "2", "--input", job.data]
        return [
            ["train"] + training, ["train", "--dry-run"] + training, ["launch", "--workers", "2"] + training,
            ["predict"] + scoring, ["predict", "--blas", "openblas"] + scoring, ["evaluate"] + scoring,
            ["data", "--model", job.model, job.data], ["tokenize", "--model", job.model],
        ]
    }

    /// Either one line about the limit and status 2 before any work, or the command as ever.
    private func expectRefusalOrSuccess(_ run: ScriptRun, _ command: [String], _ option: String) {
        if run.status == 0 { return }
        let lines = run.text.split(separator: "\n")
        #expect(
            run.status == 2 && lines.count == 1 && lines.first?.contains("ulimit \(option)") == true,
            "\(command.prefix(3)): status \(run.status), \(run.text)")
        #expect(!job.exists("run"))
    }

    private func quoted(_ command: [String]) -> String { command.map { "'\($0)'" }.joined(separator: " ") }

    @Test(arguments: [10_000, 40_000, 80_000, 120_000, 160_000, 200_000, 260_000, 320_000, 400_000, 600_000])
    func `whatever the limit of addresses, a command works or says so`(more: Int) throws {
        for command in commands() {
            let run = try ScriptRun(
                shell: "ulimit -v \(Self.leastAddresses + more) && exec timeout -s KILL 60 "
                    + "'\(ApusProcess.executable.path)' \(quoted(command)) </dev/null")
            expectRefusalOrSuccess(run, command, "-v")
            try? FileManager.default.removeItem(atPath: job.path("run"))
        }
    }

    /// The weights of a model four times as wide as the small one make up most of the need.
    @Test(arguments: [1, 2, 3, 4, 6, 8, 10, 12])
    func `a model's need of addresses is told before the run begins`(part: Int) throws {
        let wide = try WideModel(job)
        let training = job.command("run", ["--max-steps", "1", "--threads", "1"], validation: true).dropFirst().map {
            $0 == job.model ? wide.path : $0
        }
        for command in [["train"], ["train", "--dry-run"], ["launch", "--workers", "2"]].map({ $0 + training })
            + [["evaluate", "--model", wide.path, "--threads", "1", "--input", job.data]]
        {
            let limit = Self.leastAddresses + 60_000 + part * wide.weightKiB
            let run = try ScriptRun(
                shell: "ulimit -v \(limit) && exec timeout -s KILL 60 '\(ApusProcess.executable.path)' "
                    + "\(quoted(command)) </dev/null")
            expectRefusalOrSuccess(run, command, "-v")
            try? FileManager.default.removeItem(atPath: job.path("run"))
        }
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
        arguments: [2, 3, 4, 5, 7, 9])
    func `whatever the limit of processes, a command works or says so`(most: Int) throws {
        for command in commands() {
            let run = try ScriptRun(
                shell: "chmod -R a+rwX '\(job.path(""))' && exec setpriv --reuid 54322 --regid 54322 --clear-groups "
                    + "env HOME=/tmp timeout -s KILL 60 prlimit --nproc=\(most) '\(ApusProcess.executable.path)' "
                    + "\(quoted(command)) </dev/null")
            expectRefusalOrSuccess(run, command, "-u")
            try? FileManager.default.removeItem(atPath: job.path("run"))
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

    /// Room for the weights and not for the shared memory of two workers.
    @Test func `a limit on the size of files that keeps gradients from shared memory is named`() throws {
        let run = try run("-f 600", ["launch", "--workers", "2"])
        #expect(run.status == 0, "\(run.text)")
        let lines = run.text.split(separator: "\n").filter { $0.contains("shared memory failed") }
        #expect(lines.count == 2 && lines.allSatisfy { $0.contains("ulimit -f") }, "\(run.text)")
        #expect(!run.text.contains("/dev/shm"))
    }

    @Test func `a process computes on the processors that it is bound to`() throws {
        let words = job.command("run", ["--max-steps", "1"]).dropFirst().map { "'\($0)'" }.joined(separator: " ")
        let run = try ScriptRun(shell: "exec taskset -c 0 '\(ApusProcess.executable.path)' train \(words)")
        #expect(run.status == 0 && run.text.contains("1 process of 1 thread"), "\(run.text)")
    }
}
