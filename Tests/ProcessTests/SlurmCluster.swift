import Foundation
import Testing

/// A real Slurm of two nodes on this machine, by Tests/slurm/two-nodes.sh; it ends with its last user.
final class SlurmCluster {
    private let folder: ScratchFolder
    private let process = Process()
    private let input = Pipe()
    /// Logs of the jobs and of Slurm, shown with a failure.
    private var logs: [String]

    static let programs = ["slurmctld", "slurmd", "munged", "sbatch", "setpriv", "python3"]

    /// Whether Slurm and munge are installed here, and this user is root, who may run them.
    static let isPossible =
        getuid() == 0 && programs.allSatisfy { SSHServer.succeeds("PATH=$PATH:/usr/sbin command -v \($0)") }

    /// - Parameter hidden: a folder that the second node does not share.
    init(hiding hidden: String? = nil) throws {
        folder = try ScratchFolder()
        logs = [folder.url("control.log").path]
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments =
            [repository.appending(path: "Tests/slurm/two-nodes.sh").path, folder.path]
            + (hidden.map { ["--hide", $0] } ?? [])
        process.environment = testEnvironment.merging(["PATH": Self.path]) { $1 }
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let word = try output.fileHandleForReading.read(upToCount: 5)
        try #require(word == Data("ready".utf8), "Slurm did not start")
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    private static var path: String { (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin") + ":/usr/sbin" }

    /// Runs a command of Slurm.
    @discardableResult
    func run(_ command: String, environment: [String: String] = [:], from folder: URL = repository) throws -> ScriptRun
    {
        let settings = [
            "SLURM_CONF": self.folder.url("slurm.conf").path, "PATH": Self.path, "APUS": ApusProcess.executable.path,
        ]
        let file = self.folder.url("command.sh")
        try Data(command.utf8).write(to: file)
        return try ScriptRun(
            file, environment: testEnvironment.merging(settings) { $1 }.merging(environment) { $1 }, from: folder)
    }

    /// Submits cluster/slurm.sbatch with these training options.
    /// - Returns: the job's number.
    func submit(
        _ job: SmallJob, _ output: String, _ options: [String], slurm: String = "--ntasks 2",
        environment: [String: String] = [:]
    ) throws -> Int {
        let arguments = job.command(output, options).dropFirst().map { "'\($0)'" }.joined(separator: " ")
        let script = repository.appending(path: "cluster/slurm.sbatch").path
        logs.append(job.path("\(output).log"))
        let run = try run(
            "sbatch --parsable --output '\(job.path("\(output).log"))' \(slurm) '\(script)' \(arguments)",
            environment: environment)
        return try #require(Int(run.text.split(separator: "\n").first ?? ""), "\(run.text)")
    }

    /// Waits until a job is in one of these states, and gives it.
    func wait(for job: Int, until states: String..., location: SourceLocation = #_sourceLocation) throws -> String {
        let pattern = states.joined(separator: "|")
        let run = try run(
            """
            for turn in {1..300}; do
                state=$(scontrol show job \(job) 2>/dev/null | grep -o 'JobState=[A-Z]*'); state=${state#JobState=}
                [[ $state =~ ^(\(pattern))$ ]] && break
                sleep 0.1
            done
            echo $state
            """)
        let state = run.text.trimmingCharacters(in: .whitespacesAndNewlines)
        if !states.contains(state) {
            Issue.record("job \(job) is \(state), not \(pattern); \(said)", sourceLocation: location)
        }
        return state
    }

    /// Slurm lets a requeued job rest for two minutes; here it starts soon, but not in the second of its end: to start
    /// then is forbidden to what ended then.
    func startAgain(_ job: Int, location: SourceLocation = #_sourceLocation) throws {
        _ = try wait(for: job, until: "PENDING", location: location)
        #expect(try run("scontrol update JobId=\(job) StartTime=now+2").status == 0, sourceLocation: location)
    }

    private var said: String {
        logs.map { (try? String(contentsOfFile: $0, encoding: .utf8)) ?? "nothing" }.joined(separator: "\n")
    }

    /// Waits until a file holds these words.
    func wait(for words: String, in file: String, times: Int = 1, location: SourceLocation = #_sourceLocation) throws {
        let run = try run(
            "for turn in {1..300}; do [[ $(grep -c -e '\(words)' '\(file)' 2>/dev/null) -ge \(times) ]] && exit; "
                + "sleep 0.1; done; exit 1"
        )
        if run.status != 0 {
            let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
            Issue.record("'\(words)' is not in \(file): \(text); \(said)", sourceLocation: location)
        }
    }
}
