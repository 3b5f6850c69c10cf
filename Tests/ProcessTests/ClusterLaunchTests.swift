import Foundation
import Testing
import Transport

/// Workers that `apus launch` starts through a real ssh server.
@Suite(.enabled(if: SSHServer.isPossible, "needs OpenSSH's server and, as root, mount namespaces"))
struct ClusterLaunchTests {
    let job: SmallJob
    let server: SSHServer
    static let options = ["--epochs", "2", "--batch-size", "8", "--lanes", "4", "--learning-rate", "1e-3"]

    init() throws {
        job = try SmallJob()
        server = try SSHServer(at: ["127.0.0.1", "127.0.0.2"])
    }

    func launch(
        _ file: String, to output: String = "cluster", as client: String = "user", _ more: [String] = []
    ) throws -> ApusProcess {
        try job.write("cluster.yaml", file)
        let command =
            ["launch", "--cluster", job.path("cluster.yaml")] + job.command(output, Self.options + more).dropFirst()
        return try ApusProcess(command, environment: server.environment(as: client))
    }

    var twoHosts: String {
        """
        coordinator: {address: 127.0.0.1}
        defaults: {ssh_port: \(server.port), binary: '\(ApusProcess.executable.path)'}
        hosts: [{address: 127.0.0.1}, {address: 127.0.0.2, workers: 2, threads: 1}]
        """
    }

    @Test(arguments: [[], ["--insecure"]])
    func `workers on two hosts give the bits of a single process`(more: [String]) throws {
        let single = try ApusProcess(job.command("single", Self.options))
        #expect(single.status == 0, "\(single.complaint)")
        let run = try launch(twoHosts, more)
        #expect(run.status == 0, "\(run.complaint)")
        let finished = try FinishedRun(job, "cluster")
        #expect(try finished.digest == FinishedRun(job, "single").digest)
        #expect(finished.summary["workers"] as? Int == 3)
        #expect(
            (run.output + run.complaint).contains("--insecure: links between hosts are plain text") == !more.isEmpty)
        #expect(!(run.output + run.complaint).contains("key is refused"))
    }

    @Test func `the number of lanes does not depend on the hosts`() throws {
        try job.write("cluster.yaml", twoHosts)
        let command =
            ["launch", "--cluster", job.path("cluster.yaml")]
            + job.command("default", ["--max-steps", "1"]).dropFirst()
        let run = try ApusProcess(command, environment: server.environment())
        #expect(run.status == 0, "\(run.complaint)")
        #expect(try FinishedRun(job, "default").summary["lanes"] as? Int == 8)
    }

    @Test func `the interface of a host is where its data links are`() throws {
        let run = try launch(twoHosts.replacing("defaults: {", with: "defaults: {interface: lo, "))
        #expect(run.status == 0, "\(run.complaint)")
        expectOneLine(
            try launch(twoHosts.replacing("defaults: {", with: "defaults: {interface: nosuch0, "), to: "none"),
            status: 2,
            "has no interface nosuch0", "it has lo")
    }

    @Test func `the preflight finds hosts that are well`() throws {
        try job.write("cluster.yaml", twoHosts)
        let run = try ApusProcess(["check", "--cluster", job.path("cluster.yaml")], environment: server.environment())
        #expect(run.output.contains("127.0.0.1: ssh works"), "\(run.output)")
        #expect(run.output.contains("127.0.0.2: computes the same bits as this machine"))
        #expect(run.output.contains("127.0.0.2 reaches the coordinator's port"))
        #expect(run.output.contains("127.0.0.1 reaches the data links of 127.0.0.2"))
        #expect(run.output.split(separator: "\n").allSatisfy { $0.hasPrefix("ok ") || $0.hasPrefix("fix ") })
    }

    @Test func `the preflight says what to fix`() throws {
        try job.write(
            "cluster.yaml",
            twoHosts.replacing("{address: 127.0.0.1}, ", with: "{address: 127.0.0.1, binary: /nowhere/apus}, "))
        let run = try ApusProcess(["check", "--cluster", job.path("cluster.yaml")], environment: server.environment())
        #expect(run.status == 1)
        #expect(run.output.contains("fix   host 127.0.0.1 has no program /nowhere/apus"), "\(run.output)")
        #expect(run.output.contains("127.0.0.2: ssh works"))
    }

    // MARK: Bad input

    @Test func `a cluster file with a mistake is refused with its place`() throws {
        expectOneLine(
            try launch(twoHosts.replacing("ssh_port", with: "sshport")), status: 2, "cluster.yaml:2",
            "unknown key sshport")
        expectOneLine(
            try launch(twoHosts.replacing("127.0.0.2", with: "127.0.0.1")), status: 2, "127.0.0.1 is listed twice")
        expectOneLine(
            try launch(twoHosts.replacing("workers: 2", with: "workers: 0")), status: 2,
            "workers of an entry of hosts is 0")
        expectOneLine(try launch(twoHosts, ["--workers", "2"]), status: 2, "set workers in")
        #expect(!job.exists("cluster"))
    }

    @Test func `a host that cannot take part is named with the remedy`() throws {
        let closed = try TCPProbe.Listener(address: "127.0.0.1", port: 0).port
        let unreachable = twoHosts.replacing("{address: 127.0.0.2,", with: "{address: 127.0.0.2, ssh_port: \(closed),")
        expectOneLine(try launch(unreachable), status: 2, "host 127.0.0.2 cannot be reached by ssh", "is it on")
        expectOneLine(
            try launch(twoHosts, as: "stranger"), status: 2, "host 127.0.0.1 does not let this user in",
            "put your ssh key there")
        expectOneLine(try launch(twoHosts, as: "unknown"), status: 2, "host 127.0.0.1 presents an unknown ssh key")
        expectOneLine(
            try launch(twoHosts.replacing(ApusProcess.executable.path, with: "/nowhere/apus")), status: 2,
            "has no program /nowhere/apus")
        #expect(!job.exists("cluster"))
    }

    @Test func `another version is refused before anything starts`() throws {
        let report = """
            {"version":"0.0.9","fingerprint":"x","arithmetic":1,"arithmeticName":"arithmetic \
            1","cores":2,"clock":0,"freeMemoryBytes":1,"freeDiskBytes":1,"address":"127.0.0.1","port":1}
            """
        for (name, words) in [("older", report), ("foreign", "apus 0.0.1")] {
            try job.write(name, "#!/bin/sh\necho '\(words)'\n")
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: job.path(name))
        }
        let old = twoHosts.replacing(
            "{address: 127.0.0.2,", with: "{address: 127.0.0.2, binary: '\(job.path("older"))',")
        expectOneLine(
            try launch(old), status: 2, "host 127.0.0.2 runs apus 0.0.9, this is 0.2.0: install the same build there")
        let other = twoHosts.replacing(
            "{address: 127.0.0.2,", with: "{address: 127.0.0.2, binary: '\(job.path("foreign"))',")
        expectOneLine(try launch(other), status: 2, "host 127.0.0.2 runs a different program or version")
        #expect(!job.exists("cluster"))
    }

    // MARK: Other arithmetic

    /// Two hosts, of which the second one's OpenBLAS takes its oldest kernels.
    private func withOldHost() throws -> String {
        try job.write(
            "old", "#!/bin/sh\nOPENBLAS_CORETYPE=\(CoreType.old.name) exec '\(ApusProcess.executable.path)' \"$@\"\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: job.path("old"))
        return twoHosts.replacing("{address: 127.0.0.2,", with: "{address: 127.0.0.2, binary: '\(job.path("old"))',")
    }

    @Test func `another core type of OpenBLAS changes nothing with own kernels and is refused by name with OpenBLAS`()
        throws
    {
        let hosts = try withOldHost()
        let refused = try launch(hosts, ["--blas", "openblas"])
        expectOneLine(
            refused, status: 2, "host 127.0.0.2 computes different bits from this one",
            "core type \(CoreType.old.shown) there")
        #expect(!job.exists("cluster"))
        let run = try launch(hosts)
        #expect(run.status == 0, "\(run.complaint)")
        #expect(try ApusProcess(job.command("single", Self.options)).status == 0)
        #expect(try FinishedRun(job, "cluster").digest == FinishedRun(job, "single").digest)
    }

    @Test func `a coordinator's port in use and an address elsewhere are refused`() throws {
        let taken = try TCPProbe.Listener(address: "127.0.0.1", port: 0)
        expectOneLine(
            try launch(
                twoHosts.replacing("{address: 127.0.0.1}\n", with: "{address: 127.0.0.1, port: \(taken.port)}\n")),
            status: 2,
            "\(taken.port): the address is in use: choose another port")
        expectOneLine(
            try launch(
                twoHosts.replacing("coordinator: {address: 127.0.0.1}", with: "coordinator: {address: 192.0.2.1}")),
            status: 2,
            "192.0.2.1 is not one of this machine")
        withExtendedLifetime(taken.port) {}
    }
}
