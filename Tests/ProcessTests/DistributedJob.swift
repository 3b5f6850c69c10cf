import Foundation
import Testing

/// Runs of a coordinator and workers.
extension SmallJob {
    /// The command line of a launched run into the folder `output`.
    func launch(_ output: String, workers: Int, _ options: [String] = [], validation: Bool = false) -> [String] {
        ["launch", "--workers", "\(workers)", "--threads", "1"]
            + command(output, options, validation: validation).dropFirst()
    }

    /// What keeps a run's own folders, sockets and all, in this job's.
    var environment: [String: String] { ["TMPDIR": folder.path] }

    /// A launched run that continues until it is stopped; every batch but the last of an epoch is full.
    static let endless = ["--batch-size", "8", "--lanes", "4", "--learning-rate", "1e-3", "--epochs", "1000000"]

    func startEndless(_ output: String, workers: Int, _ options: String...) throws -> RunningApus {
        try RunningApus(launch(output, workers: workers, Self.endless + options), environment: environment)
    }

    /// Where the coordinator of this job's launched run listens.
    func endpoint() throws -> String {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        return "ipc://\(path(try #require(names.first { $0.hasPrefix("apus-") })))/control"
    }

    /// Stops an endless run and expects the bits of a single process that nothing disturbed, two steps on, and that
    /// each epoch had each of its samples once.
    /// - Returns: what it wrote since the last lines waited for.
    @discardableResult
    func expectUndisturbed(
        _ run: RunningApus, _ output: String, _ options: [String] = [], location: SourceLocation = #_sourceLocation
    ) throws -> (output: [String], complaint: [String]) {
        run.send(SIGINT)
        let end = run.end()
        #expect(end.status == 130, "\(end.complaint)", sourceLocation: location)
        let last = try #require(
            end.complaint.last { $0.contains("stopped after step ") }, "\(end.complaint)", sourceLocation: location)
        let step = try #require(
            last.firstMatch(of: /stopped after step ([0-9]+)/).flatMap { Int($0.1) }, sourceLocation: location)
        let resumed = try resume(output, "--max-steps", "\(step + 2)", location: location)
        #expect(resumed.steps == Array(1...(step + 2)), sourceLocation: location)
        let whole = try ApusProcess(
            command("\(output)-whole", Self.endless + options + ["--max-steps", "\(step + 2)"]))
        #expect(whole.status == 0, "\(whole.complaint)", sourceLocation: location)
        #expect(try FinishedRun(self, "\(output)-whole").digest == resumed.digest, sourceLocation: location)
        #expect(processes.isEmpty, sourceLocation: location)
        #expect(!end.output.contains { $0.contains("MORE THAN ONCE") }, sourceLocation: location)
        return (end.output, end.complaint)
    }
}

/// Processes that belong to a job: those whose command line names its folder.
extension SmallJob {
    struct Relative: Equatable {
        let id: pid_t
        let arguments: [String]
    }

    var processes: [Relative] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.sorted().compactMap { id in
            guard id != getpid(), let bytes = SystemFile.contents("/proc/\(id)/cmdline") else { return nil }
            let arguments = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            return arguments.contains { $0.contains(folder.path) } ? Relative(id: id, arguments: arguments) : nil
        }
    }

    /// The worker processes, oldest first.
    var workers: [pid_t] { processes.filter { $0.arguments.dropFirst().first == "work" }.map(\.id) }

    /// The coordinator process, if there is one.
    var coordinators: [pid_t] { processes.filter { $0.arguments.dropFirst().first == "coordinate" }.map(\.id) }

    /// Expects that none of these processes exists after this many seconds.
    func expectGone(_ processes: [Relative], within seconds: Int, location: SourceLocation = #_sourceLocation) throws {
        let waits = processes.map { "tail --pid=\($0.id) -s 0.05 -f /dev/null" }.joined(separator: "; ")
        let run = try ScriptRun(shell: "timeout \(seconds) bash -c '\(waits)'")
        #expect(run.status == 0, "after \(seconds) s there are \(self.processes)", sourceLocation: location)
    }
}
