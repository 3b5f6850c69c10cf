import Foundation
import Testing

/// Workers at the other end of bad links: slow, losing packets, cut.
@Suite(.enabled(if: Bridge.isPossible, "needs root and network namespaces"))
struct SlowLinkTests {
    let job: SmallJob

    init() throws {
        job = try SmallJob()
        #expect(try ApusProcess("keygen", job.path("keys"), "--workers", "2").status == 0)
    }

    /// The command that starts a role in a namespace, for a shell.
    private func role(_ arguments: [String], key: String, in namespace: String) -> String {
        let words = ([ApusProcess.executable.path] + arguments).map { "'\($0)'" }.joined(separator: " ")
        return "env APUS_KEY_FILE='\(job.path("keys/\(key).key"))' ip netns exec \(namespace) \(words)"
    }

    private func coordinator(_ address: String, _ options: [String], in namespace: String) -> String {
        role(
            ["coordinate", "--workers", "2", "--endpoint", "tcp://\(address):5555"]
                + job.command("run", options).dropFirst(), key: "coordinator",
            in: namespace)
    }

    private func worker(_ number: Int, _ address: String, in namespace: String) -> String {
        role(
            ["work", "--coordinator", "tcp://\(address):5555", "--threads", "1"], key: "worker-\(number)", in: namespace
        )
    }

    @Test(.enabled(if: Bridge.hasTunnels, "needs python3 and /dev/net/tun"))
    func `20 ms of delay and 1 % of lost packets change no bit`() throws {
        let options = ["--max-steps", "8", "--batch-size", "8", "--lanes", "4", "--learning-rate", "1e-3"]
        let single = try ApusProcess(job.command("single", options))
        #expect(single.status == 0, "\(single.complaint)")
        let bridge = try Bridge(hosts: 2)
        let (home, hosts) = (bridge.home, bridge.hosts.map(\.namespace))
        let places = "\(home)=10.214.0.254 \(hosts[0])=10.214.0.1 \(hosts[1])=10.214.0.2"
        let network = repository.appending(path: "Benchmarks/slow_link.py").path
        let run = try ScriptRun(
            shell: """
                cd '\(job.folder.path)'
                mkfifo hold; python3 '\(network)' --delay 20 --loss 1 \(places) <hold >link & link=$!
                exec 7>hold; until grep -q ready link; do kill -0 $link || exit 3; sleep 0.05; done
                \(worker(1, "10.214.0.254", in: hosts[0])) & first=$!
                \(worker(2, "10.214.0.254", in: hosts[1])) & second=$!
                timeout 50 \(coordinator("10.214.0.254", options, in: home)); status=$?
                test $status = 0 || kill -9 $first $second
                wait $first; one=$?; wait $second; two=$?
                exec 7>&-; wait $link; cat link; echo "statuses $status $one $two"
                """)
        #expect(run.text.contains("statuses 0 0 0"), "\(run.text)")
        #expect(run.text.firstMatch(of: /[1-9][0-9]* packets carried/) != nil, "\(run.text)")
        #expect(try FinishedRun(job, "run").digest == FinishedRun(job, "single").digest)
    }

    @Test func `a worker whose link is cut is missed by the heartbeat, and joins as new when the link is back`() throws
    {
        let bridge = try Bridge(hosts: 2)
        let (home, hosts) = (bridge.home, bridge.hosts.map(\.namespace))
        let run = try ScriptRun(
            shell: """
                cd '\(job.folder.path)'
                await() { timeout 40 bash -c 'until grep -q "$1" "$2" 2>/dev/null; do sleep 0.05; done' - "$1" "$2" || \
                echo "never: $1"; }
                \(worker(1, bridge.coordinator, in: hosts[0])) >first 2>&1 & first=$!
                \(worker(2, bridge.coordinator, in: hosts[1])) >second 2>&1 & second=$!
                \(coordinator(bridge.coordinator, SmallJob.endless, in: home)) >words 2>&1 & coordinator=$!
                await 'epoch 2/' words
                ip -n \(home) link set host1 down
                cut=$(date +%s%N)
                await 'generation 2: 1 worker' words
                echo "noticed after $((($(date +%s%N) - cut) / 1000000)) ms"
                ip -n \(home) link set host1 up
                await 'generation 3: 2 workers' words
                kill -INT $(ip netns pids \(home) | head -n 1)
                wait $coordinator; echo "ended with $?"
                for worker in $first $second; do timeout 20 tail --pid=$worker -f /dev/null || kill -9 $worker; done
                cat words
                """)
        #expect(run.text.contains("ended with 130"), "\(run.text)")
        #expect(!run.text.contains("never: "), "\(run.text)")
        let step = try #require(
            run.text.firstMatch(of: /stopped after step ([0-9]+)/).flatMap { Int($0.1) }, "\(run.text)")
        let resumed = try job.resume("run", "--max-steps", "\(step + 2)")
        let whole = try ApusProcess(job.command("whole", SmallJob.endless + ["--max-steps", "\(step + 2)"]))
        #expect(whole.status == 0, "\(whole.complaint)")
        #expect(try FinishedRun(job, "whole").digest == resumed.digest)
    }
}

extension Bridge {
    /// Whether a network can be made of TUN devices.
    static let hasTunnels =
        FileManager.default.fileExists(atPath: "/dev/net/tun") && SSHServer.succeeds("command -v python3")
}
