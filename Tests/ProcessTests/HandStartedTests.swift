import Foundation
import Testing
import Transport

/// Coordinator and workers started by hand over TCP: keys, and strangers at every port.
@Suite struct HandStartedTests {
    let job: SmallJob
    static let options = ["--epochs", "40", "--batch-size", "8", "--lanes", "4", "--learning-rate", "1e-3"]

    init() throws { job = try SmallJob() }

    func freePort() throws -> UInt16 { try TCPProbe.Listener(address: "127.0.0.1", port: 0).port }

    func coordinator(_ port: UInt16, workers: Int, keys: String?, _ options: [String]) throws -> RunningApus {
        try RunningApus(
            ["coordinate", "--workers", "\(workers)", "--endpoint", "tcp://127.0.0.1:\(port)"]
                + job.command("run", options).dropFirst(),
            environment: keys.map { ["APUS_KEY_FILE": $0] } ?? [:])
    }

    func worker(_ port: UInt16, keys: String?, _ options: String...) throws -> RunningApus {
        try RunningApus(
            ["work", "--coordinator", "tcp://127.0.0.1:\(port)", "--threads", "1"] + options,
            environment: keys.map { ["APUS_KEY_FILE": $0] } ?? [:])
    }

    @Test func `keygen writes a file for each place and says which goes where`() throws {
        let run = try ApusProcess("keygen", job.path("keys"), "--workers", "3")
        #expect(run.status == 0, "\(run.complaint)")
        #expect(
            run.output.contains("keys/coordinator.key: for the coordinator")
                && run.output.contains("worker-1.key to worker-3.key: for the workers"))
        for name in ["coordinator", "worker-1", "worker-2", "worker-3"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: job.path("keys/\(name).key"))
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
        expectOneLine(try ApusProcess("keygen", job.path("keys")), status: 2, "coordinator.key already exists")
        expectOneLine(try ApusProcess("keygen", job.path("others"), "--workers", "0"), status: 2, "--workers is 0")
    }

    @Test func `a coordinator takes one seed`() throws {
        let run = try ApusProcess(
            ["coordinate", "--workers", "1"] + job.command("run", ["--seeds", "0,1"]).dropFirst())
        expectOneLine(run, status: 2, "--seeds makes several runs", "apus launch")
        #expect(!job.exists("run"))
    }

    @Test func `links between hosts need keys or the word insecure`() throws {
        let bare = job.command("run").dropFirst()
        expectOneLine(
            try ApusProcess(["coordinate", "--workers", "1"] + bare, environment: ["APUS_KEY_FILE": ""]), status: 2,
            "needs keys", "--insecure")
        expectOneLine(
            try ApusProcess(["work", "--coordinator", "tcp://127.0.0.1:9"], environment: ["APUS_KEY_FILE": ""]),
            status: 2, "needs keys", "apus keygen")
        #expect(try ApusProcess("keygen", job.path("keys")).status == 0)
        let swapped = ["APUS_KEY_FILE": job.path("keys/worker-1.key")]
        expectOneLine(
            try ApusProcess(["coordinate", "--workers", "1"] + bare, environment: swapped), status: 2,
            "lists no worker's key")
        let coordinators = ["APUS_KEY_FILE": job.path("keys/coordinator.key")]
        expectOneLine(
            try ApusProcess(["work", "--coordinator", "tcp://127.0.0.1:9"], environment: coordinators), status: 2,
            "a worker's key file")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: job.path("keys/worker-1.key"))
        expectOneLine(
            try ApusProcess(["work", "--coordinator", "tcp://127.0.0.1:9"], environment: swapped), status: 2, "mode 644"
        )
        #expect(!job.exists("run"))
    }

    /// One end has keys and the other has none; then a fitting worker does the run.
    @Test(arguments: [true, false])
    func `coordinator and worker say so when only one of them has keys`(coordinatorHasKeys: Bool) throws {
        let options = ["--max-steps", "1", "--batch-size", "8", "--lanes", "4"]
        #expect(try ApusProcess("keygen", job.path("keys"), "--workers", "1").status == 0)
        let (own, key) = (job.path("keys/coordinator.key"), job.path("keys/worker-1.key"))
        let port = try freePort()
        let coordinator = try coordinator(
            port, workers: 1, keys: coordinatorHasKeys ? own : nil,
            options + (coordinatorHasKeys ? [] : ["--insecure"]))
        try coordinator.waitForPort(port)
        let plain = ["--insecure", "--coordinator-timeout", "3"]
        let unequal = try RunningApus(
            ["work", "--coordinator", "tcp://127.0.0.1:\(port)"] + (coordinatorHasKeys ? plain : Array(plain[1...])),
            environment: coordinatorHasKeys ? [:] : ["APUS_KEY_FILE": key]
        ).end()
        #expect(unequal.status == 1, "\(unequal.complaint)")
        let words = coordinatorHasKeys ? "has keys" : "has no keys"
        #expect(unequal.complaint.last?.contains(words) == true, "\(unequal.complaint)")
        let fitting =
            coordinatorHasKeys ? try worker(port, keys: key) : try worker(port, keys: nil, "--insecure")
        let end = coordinator.end()
        #expect(end.status == 0 && fitting.end().status == 0, "\(end.complaint)")
        let said = coordinatorHasKeys ? "its end has no keys" : "its end has keys"
        #expect(end.output.contains { $0.contains(said) }, "\(end.output)")
    }

    @Test func `a port in use and a coordinator's address of nobody end in one line`() throws {
        let taken = try TCPProbe.Listener(address: "127.0.0.1", port: 0)
        expectOneLine(
            try ApusProcess(
                ["coordinate", "--workers", "1", "--endpoint", "tcp://127.0.0.1:\(taken.port)", "--insecure"]
                    + job.command("run").dropFirst()),
            status: 2, "the address is in use: choose another port")
        #expect(!job.exists("run"))
        let nobody = try ApusProcess(
            "work", "--coordinator", "tcp://127.0.0.1:\(try freePort())", "--insecure", "--coordinator-timeout", "1")
        #expect(nobody.status == 1)
        #expect(nobody.complaint.contains("no coordinator answers at tcp://127.0.0.1:"))
        #expect(!nobody.complaint.contains("Coordinator."), "no name of a call: \(nobody.complaint)")
        for (exchange, words) in [("mpi", "this build has no MPI"), ("rdma", "must be links or mpi")] {
            let run = try ApusProcess(
                "work", "--coordinator", "tcp://127.0.0.1:9", "--insecure", "--exchange", exchange)
            expectOneLine(run, status: 2, "--exchange is", words)
        }
        expectOneLine(
            try ApusProcess("work", "--coordinator", "nonsense", "--insecure"), status: 2,
            "'nonsense' is not an endpoint", "HOST:PORT")
        withExtendedLifetime(taken.port) {}
    }

    @Test func `strangers at every port are refused and counted and change nothing`() throws {
        let single = try ApusProcess(job.command("single", Self.options))
        #expect(single.status == 0, "\(single.complaint)")
        #expect(try ApusProcess("keygen", job.path("keys"), "--workers", "2").status == 0)
        let port = try freePort()
        let coordinator = try coordinator(port, workers: 2, keys: job.path("keys/coordinator.key"), Self.options)
        let workers = try (1...2).map { try worker(port, keys: job.path("keys/worker-\($0).key")) }
        try coordinator.waitForGeneration(workers: 2)
        let ports = try ([coordinator] + workers).map { try ListeningPorts.of($0.id) }.flatMap { $0 }
        #expect(ports.count == 4, "the control port and three data ports: \(ports)")
        let strangers = try Strangers(at: ports)
        strangers.speak()
        let ended = coordinator.end()
        #expect(ended.status == 0, "\(ended.complaint)")
        for worker in workers {
            let end = worker.end()
            #expect(end.status == 0)
            // Its data port let nobody in once the links stood.
            #expect(!end.complaint.contains { $0.hasSuffix("from unknown processes refused") }, "\(end.complaint)")
            #expect(
                end.complaint.contains { $0.contains("joined") } && end.complaint.last?.contains("ended") == true,
                "\(end.complaint)")
        }
        let log = try job.text("run/log.txt")
        #expect(log.contains("from unknown processes refused"), "\(log)")
        // Whichever generation was formed first: none came after it.
        #expect(log.split(separator: "\n").count { $0.contains(": 2 workers on") } == 1, "\(log)")
        #expect(try FinishedRun(job, "run").digest == FinishedRun(job, "single").digest)
    }

    /// One worker for each way in which something else than `apus launch` tells it where the coordinator is.
    @Test func `workers find the coordinator through the environment`() throws {
        let options = ["--epochs", "2", "--batch-size", "8", "--lanes", "4"]
        let single = try ApusProcess(job.command("single", options))
        #expect(single.status == 0, "\(single.complaint)")
        let port = try freePort()
        let environments = [
            ["APUS_COORDINATOR": "tcp://127.0.0.1:\(port)"],
            ["MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(port)", "RANK": "2", "WORLD_SIZE": "3"],
            [
                "SLURM_PROCID": "1", "SLURM_NTASKS": "3", "SLURM_STEP_NODELIST": "127.0.0.[1-2]", "SLURM_JOB_ID": "7",
                "APUS_PORT": "\(port)",
            ],
        ]
        let coordinator = try coordinator(port, workers: 3, keys: nil, options + ["--insecure"])
        let workers = try environments.map {
            try RunningApus(["work", "--threads", "1", "--insecure"], environment: $0)
        }
        let end = coordinator.end()
        #expect(end.status == 0, "\(end.complaint)")
        for worker in workers { #expect(worker.end().status == 0) }
        #expect(try FinishedRun(job, "run").digest == FinishedRun(job, "single").digest)
        expectOneLine(
            try ApusProcess(["work", "--insecure"], environment: ["MASTER_ADDR": "127.0.0.1"]), status: 2,
            "MASTER_PORT is not set")
        expectOneLine(
            try ApusProcess(["work", "--insecure"], environment: ["RANK": "3"]), status: 2, "no coordinator is named")
    }

    @Test func `a key taken off the list ends that worker's membership at once, and the others go on`() throws {
        #expect(try ApusProcess("keygen", job.path("keys"), "--workers", "2").status == 0)
        let port = try freePort()
        let endless = Array(SmallJob.endless)
        let coordinator = try coordinator(port, workers: 2, keys: job.path("keys/coordinator.key"), endless)
        let workers = try (1...2).map {
            try worker(port, keys: job.path("keys/worker-\($0).key"), "--coordinator-timeout", "2")
        }
        try coordinator.waitForEpoch(3)
        // The last line of the coordinator's file is the key of one of them; no file but that one's names it.
        let list = try job.text("keys/coordinator.key").split(separator: "\n")
        try job.write("keys/shorter", list.dropLast().joined(separator: "\n") + "\n")
        let outcome = unsafe chmod(job.path("keys/shorter"), 0o600)
        #expect(outcome == 0)
        #expect(unsafe rename(job.path("keys/shorter"), job.path("keys/coordinator.key")) == 0)
        coordinator.send(SIGHUP)
        try coordinator.waitForGeneration(workers: 1)
        try coordinator.waitForEpoch()
        let ended = workers[1].end()
        #expect(ended.status == 1, "\(ended.complaint)")
        try job.expectUndisturbed(coordinator, "run")
        #expect(try job.text("run/log.txt").contains("was reloaded: 1 key may connect"))
        #expect(workers[0].end().status == 0)
    }

    @Test func `a worker that was refused to the end names its key`() throws {
        for folder in ["keys", "others"] {
            #expect(try ApusProcess("keygen", job.path(folder), "--workers", "1").status == 0)
        }
        let port = try freePort()
        let coordinator = try coordinator(
            port, workers: 1, keys: job.path("keys/coordinator.key"), ["--max-steps", "2"])
        try coordinator.waitForPort(port)
        let stranger = try worker(port, keys: job.path("others/worker-1.key"), "--coordinator-timeout", "10").end()
        #expect(stranger.status == 1)
        let last = try #require(stranger.complaint.last)
        #expect(last.contains("refused this worker for 10 s"), "\(stranger.complaint)")
        let key = try #require(try job.text("others/worker-1.key").firstMatch(of: /public (.+)/)).1
        #expect(last.contains(key), "\(last)")
        coordinator.send(SIGTERM)
        _ = coordinator.end()
    }

    @Test func `who has a wrong key is told so, and the coordinator says whom it refused`() throws {
        for folder in ["keys", "others"] {
            #expect(try ApusProcess("keygen", job.path(folder), "--workers", "2").status == 0)
        }
        // The last line of the coordinator's file is the key of worker 2.
        let list = try job.text("keys/coordinator.key").split(separator: "\n")
        try job.write("keys/coordinator.key", list.dropLast().joined(separator: "\n") + "\n")
        let port = try freePort()
        let coordinator = try coordinator(
            port, workers: 1, keys: job.path("keys/coordinator.key"), ["--max-steps", "2"])
        try coordinator.waitForPort(port)
        for file in ["others/worker-1.key", "keys/worker-2.key"] {
            // It asks until it is told: how soon a busy host refuses it decides nothing.
            let process = try worker(port, keys: job.path(file))
            let lines = try job.text(file).split(separator: "\n")
            let own = lines.first { $0.hasPrefix("public ") }
            let key = String(try #require(own).dropFirst(7))
            try process.waitForComplaint(key)
            if file.hasPrefix("keys/") {
                try coordinator.waitForOutput(key)
            } else {
                try coordinator.waitForOutput("another coordinator's key")
            }
            process.send(SIGKILL)
            #expect(process.end().status == SIGKILL)
        }
        let friend = try worker(port, keys: job.path("keys/worker-1.key"))
        #expect(coordinator.end().status == 0)
        #expect(friend.end().status == 0)
    }
}

/// Peers that have no key of the run, each at every port.
struct Strangers {
    private let ports: [UInt16]
    private let context: Context

    init(at ports: [UInt16]) throws {
        self.ports = ports
        context = try Context()
    }

    func speak() {
        for port in ports {
            for security in [Security.plain, .client(.generate(), server: KeyPair.generate().publicKey)] {
                var options = SocketOptions()
                options.security = security
                options.linger = .milliseconds(100)
                guard let socket = try? Socket(.dealer, in: context, options: options) else { continue }
                try? socket.connect("tcp://127.0.0.1:\(port)")
                for length in [0, 1, 40, 5_000] { _ = try? socket.send([UInt8](repeating: 0xFF, count: length)) }
            }
        }
        // A port that accepts no connection leaves them waiting.
        _ = try? ScriptRun(
            shell: """
                for port in \(ports.map(String.init).joined(separator: " ")); do
                    timeout -s KILL 1 bash -c 'for i in 1 2 3 4 5; do
                        head -c 3000 /dev/urandom >/dev/tcp/127.0.0.1/$0
                        printf "GET / HTTP/1.1\\r\\nHost: here\\r\\n\\r\\n" >/dev/tcp/127.0.0.1/$0
                        : >/dev/tcp/127.0.0.1/$0
                    done' $port 2>/dev/null &
                done
                wait
                """)
    }
}

/// The TCP ports at which a process listens.
enum ListeningPorts {
    static func of(_ process: Int32) throws -> [UInt16] {
        let folder = "/proc/\(process)/fd"
        let sockets = Set(
            try FileManager.default.contentsOfDirectory(atPath: folder).compactMap {
                try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
            })
        let tables = ["tcp", "tcp6"].compactMap { SystemFile.text("/proc/\(process)/net/\($0)") }
        return tables.flatMap { $0.split(separator: "\n").dropFirst() }.compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 9, fields[3] == "0A", sockets.contains("socket:[\(fields[9])]") else { return nil }
            return fields[1].split(separator: ":").last.flatMap { UInt16($0, radix: 16) }
        }
    }
}
