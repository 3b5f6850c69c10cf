import Foundation
import Testing
import Transport

/// Jobs whose processes an engine placed: each has the same command line, its rank is in its environment.
@Suite struct PlacedJobTests {
    let job: SmallJob
    let port: UInt16
    static let options = ["--epochs", "2", "--batch-size", "8", "--lanes", "4", "--learning-rate", "1e-3"]
    static let secret = ["APUS_SECRET": String(repeating: "0123456789abcdef", count: 2)]

    init() throws {
        job = try SmallJob()
        port = try TCPProbe.Listener(address: "127.0.0.1", port: 0).port
    }

    /// `apus work` with the options of a run.
    func command(_ output: String, _ more: [String] = []) -> [String] {
        ["work", "--threads", "1"] + job.command(output, Self.options + more).dropFirst()
    }

    /// One rank as torchrun would start it.
    func rank(_ rank: Int, of size: Int, _ arguments: [String], _ environment: [String: String] = secret) throws
        -> RunningApus
    {
        let words = [
            "RANK": "\(rank)", "WORLD_SIZE": "\(size)", "LOCAL_RANK": "\(rank)", "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": "\(port)",
        ]
        return try RunningApus(
            arguments, environment: job.environment.merging(words) { $1 }.merging(environment) { $1 })
    }

    func expectSingle(_ output: String, location: SourceLocation = #_sourceLocation) throws {
        let single = try ApusProcess(job.command("single", Self.options))
        #expect(single.status == 0, "\(single.complaint)", sourceLocation: location)
        #expect(try FinishedRun(job, output).digest == FinishedRun(job, "single").digest, sourceLocation: location)
    }

    @Test func `ranks with torchrun's words and one secret give the bits of a single process`() throws {
        let ranks = try (0..<3).map { try rank($0, of: 3, command("run")) }
        for rank in ranks {
            let end = rank.end()
            #expect(end.status == 0, "\(end.complaint)")
        }
        try expectSingle("run")
        #expect(try FinishedRun(job, "run").summary["workers"] as? Int == 3)
        #expect(job.processes.isEmpty)
    }

    @Test(.enabled(if: MPILauncher.isPossible, "needs Open MPI's mpirun"))
    func `mpirun gives the bits of a single process`() throws {
        let run = try MPILauncher.run(3, command("run"), environment: job.environment)
        #expect(run.status == 0, "\(run.text)")
        try expectSingle("run")
        #expect(try FinishedRun(job, "run").summary["workers"] as? Int == 3)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: job.folder.path).allSatisfy { !$0.hasPrefix("apus-") })
    }

    @Test func `a signal to every process of the job leaves a whole checkpoint`() throws {
        let endless = ["work", "--threads", "1"] + job.command("run", SmallJob.endless).dropFirst()
        let ranks = try (0..<2).map { try rank($0, of: 2, endless) }
        try ranks[0].waitForEpoch(2)
        // Slurm signals children too; the coordinator hears it twice.
        for process in job.processes { kill(process.id, SIGTERM) }
        let end = ranks[0].end()
        #expect(end.status == 143)
        let step = try #require(
            end.complaint.compactMap { $0.firstMatch(of: /stopped after step ([0-9]+); resume/).flatMap { Int($0.1) } }
                .first)
        #expect(job.exists("run/checkpoints/step-\(step)/manifest.json"))
        #expect(ranks[1].end().status == 0)
        #expect(job.processes.isEmpty)
    }

    @Test func `what a file says of workers holds for each rank`() throws {
        try job.write("job.yaml", "insecure: true\ncoordinator-timeout: 50\nthreads: 1\n")
        let arguments = ["work", "--config", job.path("job.yaml")] + job.command("run", Self.options).dropFirst()
        let ranks = try (0..<2).map { try rank($0, of: 2, Array(arguments), [:]) }
        for rank in ranks {
            let end = rank.end()
            #expect(end.status == 0, "\(end.complaint)")
        }
        #expect(try FinishedRun(job, "run").summary["threads"] as? Int == 1)
        try job.write("none.yaml", "coordinator-timeout: 0\n")
        expectOneLine(
            try ApusProcess("work", "--config", job.path("none.yaml")), status: 2, "--coordinator-timeout is 0",
            "at least 1")
    }

    // MARK: Bad input

    @Test func `a rank that is given twice ends every task with a line`() throws {
        let ranks = try [0, 1, 1].map { try rank($0, of: 3, command("run")) }
        let ends = ranks.map { $0.end() }
        #expect(ends[0].status == 2)
        #expect(
            ends.allSatisfy { end in end.complaint.contains { $0.contains("rank 1 is given twice, to process ") } },
            "\(ends)")
        #expect(ends.allSatisfy { $0.status != 0 })
        #expect(job.processes.isEmpty)
    }

    @Test func `a rank that does not come ends the job after the time for it`() throws {
        let first = try rank(0, of: 2, command("run", ["--coordinator-timeout", "2"]))
        let end = first.end()
        #expect(end.status == 1)
        #expect(
            end.complaint.contains { $0.contains("1 of 2 workers joined within 2 s, missing is rank 1") },
            "\(end.complaint)")
    }

    @Test func `two jobs on one port keep apart`() throws {
        let first = try rank(0, of: 2, command("run", ["--coordinator-timeout", "600"]))
        job.waitForFile("run/journal")
        let second = try rank(0, of: 1, command("other")).end()
        #expect(second.status == 2)
        #expect(
            second.complaint.count == 1 && second.complaint[0].contains("the address is in use"), "\(second.complaint)")
        #expect(second.complaint[0].contains("another port: MASTER_PORT"), "\(second.complaint)")
        #expect(!job.exists("other"))
        let stray = try rank(1, of: 3, command("run")).end()
        #expect(stray.status == 2)
        #expect(
            stray.complaint.last?.contains("rank 1 on host ") == true
                && stray.complaint.last?.contains("counts 3 ranks, the coordinator 2") == true)
        #expect(first.end().status == 2)
    }

    @Test
    func `a missing key, a short secret and a task count that differs from the cluster file are refused in one line`()
        throws
    {
        let place = ["RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(port)"]
        func refused(_ more: [String: String], _ arguments: [String]? = nil) throws -> ApusProcess {
            try ApusProcess(arguments ?? command("run"), environment: place.merging(more) { $1 })
        }
        expectOneLine(try refused([:]), status: 2, "needs keys", "APUS_SECRET")
        expectOneLine(
            try refused(["APUS_SECRET": "short"]), status: 2, "APUS_SECRET has 5 characters, must have at least 32")
        expectOneLine(
            try refused(["APUS_KEY_FOLDER": job.path("nowhere")]), status: 2, "coordinator.key is not on host ",
            "apus keygen")
        #expect(try ApusProcess("keygen", job.path("keys"), "--workers", "1").status == 0)
        expectOneLine(
            try refused(["APUS_KEY_FOLDER": job.path("keys")]), status: 2, "has keys for 1 worker, the job has 2 ranks")
        try job.write("hosts", "127.0.0.1 slots=3\n")
        try job.write("cluster.yaml", "coordinator: {address: 127.0.0.1, port: \(port)}\nhostfile: hosts\n")
        expectOneLine(
            try refused(Self.secret, command("run", ["--cluster", job.path("cluster.yaml")])), status: 2,
            "the launcher started 2 ranks", "has 3 workers")
        expectOneLine(
            try refused(Self.secret, command("run", ["--coordinator", "tcp://127.0.0.1:\(port)"])), status: 2,
            "--model is for the coordinator")
        expectOneLine(
            try refused(Self.secret, command("run", ["--seeds", "0,1"])), status: 2, "--seeds makes several runs",
            "sbatch --array")
        #expect(!job.exists("run"))
    }

    @Test func `the cluster file says where the coordinator is`() throws {
        try job.write("hosts", "127.0.0.1 slots=2\n")
        try job.write("cluster.yaml", "coordinator: {address: 127.0.0.1, port: \(port)}\nhostfile: hosts\n")
        let ranks = try (0..<2).map { rank in
            try RunningApus(
                command("run", ["--cluster", job.path("cluster.yaml")]),
                environment: Self.secret.merging(["OMPI_COMM_WORLD_RANK": "\(rank)", "OMPI_COMM_WORLD_SIZE": "2"]) {
                    $1
                })
        }
        for rank in ranks {
            let end = rank.end()
            #expect(end.status == 0, "\(end.complaint)")
        }
        try expectSingle("run")
    }
}

/// Open MPI's mpirun, on this machine alone.
enum MPILauncher {
    static let isPossible = SSHServer.succeeds("mpirun --version | grep -q 'Open MPI'")

    static func run(_ ranks: Int, _ arguments: [String], environment: [String: String]) throws -> ScriptRun {
        let settings = ["OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"]
        let words = arguments.map { "'\($0)'" }.joined(separator: " ")
        let variables = settings.merging(environment) { $1 }.map { "\($0)='\($1)'" }.joined(separator: " ")
        return try ScriptRun(
            shell:
                "\(variables) timeout 60 mpirun --oversubscribe --mca btl self,vader -np \(ranks) "
                + "'\(ApusProcess.executable.path)' \(words)"
        )
    }
}
