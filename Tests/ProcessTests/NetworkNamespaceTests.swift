import Foundation
import Testing

/// Three hosts that share no network with the coordinator's but a bridge, each with an ssh server of its own.
@Suite(
    .enabled(if: Bridge.isPossible && SSHServer.isPossible, "needs root and network namespaces, and OpenSSH's server"))
struct NetworkNamespaceTests {
    @Test(arguments: ["float32", "bf16"])
    func `three hosts in namespaces of their own give the bits of a single process`(precision: String) throws {
        let options = ClusterLaunchTests.options + ["--precision", precision]
        let job = try SmallJob()
        let bridge = try Bridge(hosts: 3)
        let servers = try bridge.hosts.map { try SSHServer(at: [$0.address], namespace: $0.namespace) }
        let single = try ApusProcess(
            ["launch", "--single"] + job.command("single", options).dropFirst())
        #expect(single.status == 0, "\(single.complaint)")
        // Each host has keys of its own: one ssh that chooses by the address.
        let choices = zip(bridge.hosts, servers).map {
            "*\" \($0.address) \"*) PATH='\($1.environment()["PATH"] ?? "")' ;;\n"
        }.joined()
        try job.write("ssh", "#!/bin/sh\ncase \" $* \" in\n\(choices)esac\nexec ssh \"$@\"\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: job.path("ssh"))
        let hosts = bridge.hosts.map { "  - address: \($0.address)\n" }.joined()
        try job.write(
            "cluster.yaml",
            "coordinator: {address: \(bridge.coordinator)}\ndefaults: {threads: 1, interface: eth0, binary: "
                + "'\(ApusProcess.executable.path)'}\nhosts:\n\(hosts)"
        )
        let command =
            [ApusProcess.executable.path, "launch", "--cluster", job.path("cluster.yaml")]
            + job.command("cluster", options).dropFirst()
        let words = command.map { "'\($0)'" }.joined(separator: " ")
        let run = try ScriptRun(
            shell: "PATH='\(job.folder.path)':\"$PATH\" timeout -k 5 60 ip netns exec \(bridge.home) \(words)")
        #expect(run.status == 0, "\(run.text)")
        #expect(run.text.contains("3 workers on 3 hosts"), "\(run.text)")
        #expect(try FinishedRun(job, "cluster").digest == FinishedRun(job, "single").digest)
    }
}

/// Hosts in namespaces, two of which do not reach each other while everybody else reaches both.
@Suite(.enabled(if: Bridge.isPossible, "needs root and network namespaces"))
struct DeadLinkTests {
    /// - Parameter route: what becomes of packets between the two: they vanish, or the system says so.
    @Test(arguments: ["blackhole", "unreachable"])
    func `of two living workers without a link one is sent away, and the others end with the same bits`(route: String)
        throws
    {
        let job = try SmallJob()
        let bridge = try Bridge(hosts: 3)
        let single = try ApusProcess(
            ["launch", "--single"] + job.command("single", ClusterLaunchTests.options).dropFirst())
        #expect(single.status == 0, "\(single.complaint)")
        let (first, second) = (bridge.hosts[1], bridge.hosts[2])
        try SSHServer.run("ip -n \(first.namespace) route add \(route) \(second.address)")
        try SSHServer.run("ip -n \(second.namespace) route add \(route) \(first.address)")
        let (program, endpoint) = (ApusProcess.executable.path, "tcp://\(bridge.coordinator):5701")
        let command =
            ["coordinate", "--insecure", "--workers", "3", "--endpoint", endpoint]
            + job.command("run", ClusterLaunchTests.options).dropFirst()
        let workers = bridge.hosts.enumerated().map { number, host in
            "(timeout -k 5 90 ip netns exec \(host.namespace) '\(program)' work --insecure --threads 1 --rank "
                + "\(number) "
                + "--coordinator \(endpoint); echo $? > '\(job.path("status-\(number)"))') &"
        }
        let words = command.map { "'\($0)'" }.joined(separator: " ")
        let run = try ScriptRun(
            shell:
                "\(workers.joined(separator: "\n"))\ntimeout -k 5 100 ip netns exec \(bridge.home) '\(program)' "
                + "\(words)\nstatus=$?\nwait\nexit $status"
        )
        #expect(run.status == 0, "\(run.text)")
        if route == "unreachable" { #expect(run.text.contains("no way to ranks [1]: No route to host"), "\(run.text)") }
        let statuses = try (0..<3).map { try job.text("status-\($0)").trimmingCharacters(in: .newlines) }
        #expect(statuses == ["0", "0", "1"], "\(run.text)")
        let done = try FinishedRun(job, "run")
        #expect(try done.digest == FinishedRun(job, "single").digest)
        #expect(done.events("step").allSatisfy { ($0["workers"] as? [Any])?.count == 2 })
    }
}

/// Network namespaces joined by a bridge, which lies in one of them; removed with their last user.
final class Bridge {
    struct Host {
        let namespace: String
        let address: String
    }

    /// The namespace with the bridge.
    let home: String
    /// The bridge's own address.
    let coordinator = "10.213.0.254"
    let hosts: [Host]

    /// Whether namespaces may be made here.
    static let isPossible: Bool = {
        let name = "apus-probe-\(getpid())"
        guard getuid() == 0, SSHServer.succeeds("ip netns add \(name)") else { return false }
        let isPossible = SSHServer.succeeds(
            "ip -n \(name) link add br0 type bridge && ip -n \(name) link add a0 type veth peer name a1")
        return SSHServer.succeeds("ip netns del \(name)") && isPossible
    }()

    init(hosts count: Int) throws {
        let name = "apus-\(getpid())-\(UInt16.random(in: 0 ... .max))"
        home = name
        hosts = (1...count).map { Host(namespace: "\(name)-\($0)", address: "10.213.0.\($0)") }
        try SSHServer.run(
            """
            set -e
            ip netns add \(home)
            ip -n \(home) link set lo up
            ip -n \(home) link add br0 type bridge
            ip -n \(home) address add \(coordinator)/24 dev br0
            ip -n \(home) link set br0 up
            """)
        for (number, host) in hosts.enumerated() {
            try SSHServer.run(
                """
                set -e
                ip netns add \(host.namespace)
                ip -n \(host.namespace) link set lo up
                ip -n \(home) link add host\(number) type veth peer name eth0 netns \(host.namespace)
                ip -n \(home) link set host\(number) master br0 up
                ip -n \(host.namespace) address add \(host.address)/24 dev eth0
                ip -n \(host.namespace) link set eth0 up
                """)
        }
    }

    deinit { for name in [home] + hosts.map(\.namespace) { _ = SSHServer.succeeds("ip netns del \(name)") } }
}
