internal import Foundation
internal import Processes
internal import Synchronization
internal import Wording

/// One launched run with its faults.
final class DisturbedRun: Sendable {
    private let name: String
    private let plan: ChaosPlan?
    private let job: ChaosJob
    private let workers: Int
    private let deadline: Duration
    private let said = Mutex<[String]>([])

    /// - Parameters:
    ///   - plan: nil for an undisturbed run.
    ///   - deadline: how long the run may take.
    init(_ name: String, of job: ChaosJob, workers: Int, plan: ChaosPlan?, deadline: Duration) {
        self.name = name
        self.job = job
        self.plan = plan
        self.workers = workers
        self.deadline = deadline
    }

    private var mark: String { job.output(name) }
    private var scratch: String { job.output(name) + ".tmp" }

    /// The output of its processes, for the analysis of a failure.
    var words: String { said.withLock { $0.joined(separator: "\n") } }

    private func hear(_ line: String) { said.withLock { $0.append(line) } }

    /// Runs it to its end; none of its processes is running afterwards.
    func run() throws -> ChaosOutcome {
        let begin = ContinuousClock.now
        try FileManager.default.createDirectory(
            atPath: scratch, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        var launcher = try Launcher(job.arguments(name, workers: workers), mark: mark, scratch: scratch) { [self] in
            hear($0)
        }
        let strikes = plan.map {
            Strikes($0.strikes, at: RunProgressFile(output: job.output(name))) { [mark] in JobProcesses.marked(mark) }
        }
        strikes?.begin()
        let limit = DispatchTime.now() + .milliseconds(Int(deadline.seconds * 1_000))
        var end = launcher.process.end(before: limit)
        // The end of a killed launcher may be seen before the last of its children was killed.
        if end == .signal(SIGKILL), let strikes {
            strikes.join()
            launcher = try Launcher(job.resumption(name, workers: workers), mark: mark, scratch: scratch) { [self] in
                hear($0)
            }
            end = launcher.process.end(before: limit)
        }
        let killedEverything = strikes?.killedEverything ?? false
        var leftovers = end == nil ? [] : left(ignoringFolders: killedEverything)
        strikes?.join()
        let running = JobProcesses.marked(mark)
        for process in running { process.send(SIGKILL) }
        if end == nil { leftovers = running.map(Self.described) }
        launcher.finishReading()
        let summary = try? JSONSerialization.jsonObject(
            with: Data(contentsOf: URL(fileURLWithPath: job.output(name) + "/summary.json")))
        return ChaosOutcome(
            status: end?.shellStatus, digest: (summary as? [String: Any])?["parameters_sha256"] as? String ?? "",
            steps: RunProgressFile(output: job.output(name)).steps,
            ledger: said.withLock { $0.filter { $0.contains("epoch ") && $0.contains(" samples computed") } },
            leftovers: leftovers,
            seconds: (ContinuousClock.now - begin).seconds, deeds: strikes?.done ?? [])
    }

    private func left(ignoringFolders: Bool) -> [String] {
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: scratch)) ?? []
        return JobProcesses.marked(mark).map(Self.described)
            + (ignoringFolders ? [] : folders.map { "\(scratch)/\($0)" })
    }

    private static func described(_ process: JobProcess) -> String {
        "process \(process.id): \(process.arguments.joined(separator: " "))"
    }
}

/// A launcher and the thread that reads its output.
private struct Launcher {
    let process: SpawnedProcess
    private let reading = DispatchGroup()

    init(_ arguments: [String], mark: String, scratch: String, hear: @escaping @Sendable (String) -> Void) throws {
        var environment = ProcessInfo.processInfo.environment
        environment[JobProcesses.variable] = mark
        environment["TMPDIR"] = scratch
        environment["APUS_COMMAND"] = nil
        process = try SpawnedProcess(ownProgram(), arguments, environment: environment, output: .joined)
        guard let output = process.output else { preconditionFailure("its output was requested") }
        let reading = reading
        reading.enter()
        Thread {
            output.readLines { hear(String(decoding: $0, as: UTF8.self)) }
            reading.leave()
        }.start()
    }

    /// Waits for the rest of the output; only briefly if a process that outlived the launcher keeps it open.
    func finishReading() { _ = reading.wait(timeout: .now() + .seconds(5)) }
}
