import Kernels
import Testing

@testable import Configuration
@testable import Runs

/// The command that resumes a run repeats all options about where it is computed.
@Suite struct ResumeCommandTests {
    private var configuration: TrainingConfiguration {
        var configuration = TrainingConfiguration(model: "/m", train: "/t.tsv", output: "runs/my run", threads: 2)
        configuration.lanes = 4
        return configuration
    }

    private func launch(_ change: (inout LaunchOptions) -> Void) -> String {
        var options = LaunchOptions(
            workers: nil, threadsGiven: false, single: false, debug: false, cluster: nil, configuration: configuration)
        change(&options)
        return Invocation(arguments: ["apus", "launch"]).resuming(options)
    }

    @Test func `a launcher's has its cluster, workers and threads`() {
        #expect(launch { _ in } == "apus launch --resume --output 'runs/my run'")
        #expect(launch { $0.workers = 3 } == "apus launch --workers 3 --resume --output 'runs/my run'")
        #expect(
            launch { ($0.workers, $0.threadsGiven) = (3, true) }
                == "apus launch --workers 3 --threads 2 --resume --output 'runs/my run'")
        #expect(
            launch { $0.cluster = "lab a.yaml" } == "apus launch --cluster 'lab a.yaml' --resume --output 'runs/my run'"
        )
        #expect(
            launch { ($0.single, $0.debug) = (true, true) }
                == "apus launch --single --debug --resume --output 'runs/my run'"
        )
    }

    @Test func `that of a process started by hand has its own words`() {
        let train = ["bin/apus", "train", "--threads=2", "--model", "m", "--debug"]
        #expect(
            Invocation(arguments: train).resuming(configuration)
                == "bin/apus train --threads 2 --debug --resume --output 'runs/my run'")
        let coordinator = [
            "apus", "coordinate", "--workers", "4", "--train", "t", "--endpoint=tcp://0.0.0.0:5555", "--health_file",
            "/run/h", "--epochs", "2",
        ]
        #expect(
            Invocation(arguments: coordinator).resuming(configuration)
                == "apus coordinate --workers 4 --endpoint tcp://0.0.0.0:5555 --health-file /run/h --resume --output "
                + "'runs/my run'"
        )
    }

    @Test func `OpenBLAS's core type is kept where the run depends on it`() {
        func command(_ blas: BLAS, _ type: String?) -> String {
            var configuration = TrainingConfiguration(model: "m", train: "t", output: "runs/a", threads: 1)
            configuration.blas = blas
            let environment = type.map { ["OPENBLAS_CORETYPE": $0] } ?? [:]
            return Invocation(arguments: ["apus", "train"], environment: environment).resuming(configuration)
        }
        let plain = "apus train --resume --output runs/a"
        #expect(command(.openblas, "Haswell") == "OPENBLAS_CORETYPE=Haswell \(plain)")
        #expect(command(.openblas, nil) == plain)
        #expect(command(.own, "Haswell") == plain)
    }

    @Test func `a coordinator's has its keys, and never a secret`() {
        func command(_ environment: [String: String], insecure: Bool = false) -> String {
            var configuration = configuration
            configuration.insecure = insecure
            return Invocation(arguments: ["apus", "coordinate", "--workers", "2"], environment: environment)
                .resuming(configuration)
        }
        #expect(
            command(["APUS_KEY_FILE": "my keys/coordinator.key"]).hasPrefix("APUS_KEY_FILE='my keys/coordinator.key' "))
        #expect(command(["APUS_SECRET": "of nobody's business"]).hasPrefix("APUS_SECRET=… "))
        #expect(!command(["APUS_KEY_FILE": "k"], insecure: true).contains("APUS_KEY_FILE"))
        #expect(!command([:]).contains("APUS_"))
    }

    @Test(arguments: [
        ["mpirun", "-np", "3", "--host", "a,b:2"],
        ["/usr/bin/python3", "/usr/bin/torchrun", "--nproc-per-node", "2", "--no-python"],
    ])
    func `that of an engine's job has the engine's own command line`(launcher: [String]) {
        let own = ["/opt/apus", "work", "--train", "t.tsv", "--interface", "eth0", "--insecure"]
        let command = Invocation(arguments: own).resuming(configuration, ranks: 3, parent: launcher + own)
        let resumed = [
            "/opt/apus", "work", "--interface", "eth0", "--insecure", "--resume", "--output", "'runs/my run'",
        ]
        #expect(command == (launcher + resumed).joined(separator: " "))
    }

    @Test func `where the engine's command line cannot be seen its variables tell`() {
        let own = ["apus", "work", "--train", "t.tsv"]
        func command(_ environment: [String: String]) -> String {
            Invocation(arguments: own, environment: environment)
                .resuming(configuration, ranks: 4, parent: ["slurmstepd: [1.0]"])
        }
        let resumed = "apus work --resume --output 'runs/my run'"
        #expect(
            command(["SLURM_PROCID": "0", "SLURM_JOB_NUM_NODES": "2", "SLURM_CPUS_PER_TASK": "8"])
                == "srun --nodes=2 --ntasks=4 --cpus-per-task=8 \(resumed)")
        #expect(command(["OMPI_COMM_WORLD_RANK": "0", "SLURM_PROCID": "0"]) == "mpirun -np 4 \(resumed)")
        #expect(command(["JOB_COMPLETION_INDEX": "0"]) == "\(resumed) in each of the 4 ranks")
    }
}

/// How the program was started, as a launcher passes it on to its children.
@Suite struct InvocationTests {
    @Test func `the command is as typed, quoted for a shell, without what only shows the run`() {
        let invocation = Invocation(arguments: ["./apus", "train", "--train", "my data.tsv", "--dashboard"])
        #expect(invocation.program == "./apus")
        #expect(invocation.command == "./apus train --train 'my data.tsv'")
        #expect(invocation.resumeCommand == nil)
    }

    @Test func `children repeat the launcher's command and its way to go on`() {
        let launcher = Invocation(arguments: ["bin/apus", "launch", "--workers", "2"]).resumed(by: "bin/apus launch -r")
        let child = Invocation(arguments: ["/opt/apus", "coordinate", "--launched"], environment: launcher.handedDown)
        #expect(child.program == "bin/apus")
        #expect(child.command == "bin/apus launch --workers 2")
        #expect(child.resumeCommand == "bin/apus launch -r")
    }

    @Test func `the way to go on that a queue's script sets stays`() {
        let queued = Invocation(arguments: ["apus", "work"], environment: ["APUS_RESUME_COMMAND": "sbatch job"])
        #expect(queued.resumed(by: "apus work --resume").handedDown["APUS_RESUME_COMMAND"] == "sbatch job")
    }
}
