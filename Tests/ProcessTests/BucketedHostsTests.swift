import Foundation
import Testing

/// Workers on hosts of their own, and a gradient of several buckets, which they exchange while they compute.
@Suite(.enabled(if: Bridge.isPossible, "needs root and network namespaces"))
struct BucketedHostsTests {
    let job: SmallJob
    /// Its gradient has several buckets.
    let model: WideModel

    init() throws {
        job = try SmallJob()
        model = try WideModel(job, width: 128, feedForward: 512, layers: 4)
        #expect(try ApusProcess("keygen", job.path("keys"), "--workers", "3").status == 0)
    }

    private var options: [String] {
        ["--model", model.path] + Self.sizes
    }

    private static let sizes = [
        "--from-scratch", "--batch-size", "8", "--lanes", "8", "--learning-rate", "1e-3", "--max-grad-norm", "0.5",
    ]

    /// The command that starts a role in a namespace, for a shell.
    private func role(_ arguments: [String], key: String, _ isOpen: Bool, in namespace: String) -> String {
        let words = ([ApusProcess.executable.path] + arguments + (isOpen ? ["--insecure"] : [])).map { "'\($0)'" }
        let keys = isOpen ? "" : "APUS_KEY_FILE='\(job.path("keys/\(key).key"))'"
        return "env \(keys) ip netns exec \(namespace) \(words.joined(separator: " "))"
    }

    /// - Parameter meanwhile: what the shell does while they run.
    private func run(_ bridge: Bridge, _ options: [String], open isOpen: Bool, meanwhile: String = "") throws
        -> ScriptRun
    {
        let endpoint = "tcp://\(bridge.coordinator):5577"
        let workers = bridge.hosts.enumerated().map { number, host in
            let command = role(
                ["work", "--coordinator", endpoint, "--threads", "1", "--rank", "\(number)"],
                key: "worker-\(number + 1)", isOpen, in: host.namespace)
            return "\(command) & worker\(number)=$!"
        }
        let coordinator = role(
            ["coordinate", "--workers", "\(bridge.hosts.count)", "--endpoint", endpoint]
                + job.command("run", options).dropFirst(), key: "coordinator", isOpen, in: bridge.home)
        return try ScriptRun(
            shell: """
                cd '\(job.folder.path)'
                \(workers.joined(separator: "\n"))
                \(coordinator) & coordinator=$!
                \(meanwhile)
                wait $coordinator; status=$?; echo "status $status"
                test $status = 0 || kill -9 \(bridge.hosts.indices.map { "$worker\($0)" }.joined(separator: " "))
                wait
                """)
    }

    @Test(arguments: [2, 3], [false, true])
    func `hosts that exchange buckets behind the backward pass have the bits of one process`(hosts: Int, isOpen: Bool)
        throws
    {
        let options = self.options + ["--max-steps", "6"]
        let single = try ApusProcess(job.command("single", options))
        #expect(single.status == 0, "\(single.complaint)")
        let bridge = try Bridge(hosts: hosts)
        let run = try run(bridge, options, open: isOpen)
        #expect(run.text.contains("status 0"), "\(run.text)")
        #expect(try job.bytes("run/model/model.safetensors").count > model.weightKiB << 10)
        #expect(try FinishedRun(job, "run").digest == FinishedRun(job, "single").digest)
    }

    @Test func `a worker that is killed while buckets are under way is missed, and the bits stay`() throws {
        let options = self.options + ["--epochs", "40"]
        let alone = try ApusProcess(job.command("single", options))
        #expect(alone.status == 0, "\(alone.complaint)")
        let bridge = try Bridge(hosts: 3)
        let run = try run(
            bridge, options, open: false,
            meanwhile: """
                until grep -q '"step":5,' run/metrics.jsonl; do kill -0 $coordinator || exit 3; sleep 0.05; done
                kill -9 $worker1
                """)
        #expect(run.text.contains("status 0"), "\(run.text)")
        let done = try FinishedRun(job, "run")
        #expect(try done.digest == FinishedRun(job, "single").digest)
        let counts = Set(done.events("step").compactMap { ($0["workers"] as? [Any])?.count })
        #expect(counts == [2, 3])
    }
}
