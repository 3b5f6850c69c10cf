import Foundation
import Testing

/// The coordinator is killed and restarted: the run continues from the same step, to the bits of an undisturbed one.
@Suite struct CoordinatorRestartTests {
    @Test func `the launcher starts a killed coordinator again, which goes on from the very step`() throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 2)
        try run.waitForEpoch(3)
        kill(try #require(job.coordinators.first), SIGKILL)
        let step = try run.waitForStart()
        #expect(try run.waitForGeneration(workers: 2) == step)
        try run.waitForEpoch()
        try job.expectUndisturbed(run, "run")
        #expect(try !job.text("run/log.txt").contains("going back"))
    }

    /// It is killed between the two evaluations of an epoch, or near them.
    @Test func `each evaluation of both tasks is told once, whenever the coordinator is killed`() throws {
        let job = try SmallJob()
        let options = try TaskJob.joint.options(job) + ["--validation", job.validation]
        let run = try RunningApus(
            job.launch("run", workers: 2, SmallJob.endless + options), environment: job.environment)
        for _ in 0..<3 {
            try run.waitForEvaluation(of: "validation")
            kill(try #require(job.coordinators.last), SIGKILL)
            try run.waitForStart()
        }
        try run.waitForEpoch()
        try job.expectUndisturbed(run, "run", options)
        let told = try FinishedRun(job, "run").events("evaluation").compactMap { event in
            (event["split"] as? String).flatMap { split in (event["step"] as? Int).map { "\(split) \($0)" } }
        }
        #expect(Set(told).count == told.count, "\(told)")
        let (target, source) = (told.filter { $0.hasPrefix("v") }, told.filter { $0.hasPrefix("source-v") })
        #expect(target.count >= 3 && source == target.map { "source-\($0)" }, "\(told)")
    }

    @Test func `a signal between the coordinator's crash and its restart ends the job as that signal does`() throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 1)
        try run.waitForEpoch(1)
        for _ in 0..<2 {
            kill(try #require(job.coordinators.last), SIGKILL)
            try run.waitForStart()
        }
        kill(try #require(job.coordinators.last), SIGKILL)
        // The launcher names the signal at each crash, and waits before the third restart.
        for _ in 0..<3 { try run.waitForComplaint("signal 9") }
        run.send(SIGTERM)
        #expect(run.end().status == 143)
        #expect(job.processes.isEmpty)
        #expect(try ApusProcess("train", "--resume", "--output", job.path("run"), "--epochs", "4").status == 0)
    }

    @Test(arguments: [true, false])
    func `coordinator and worker are killed, in either order, and no step is lost`(workerFirst: Bool) throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 2)
        try run.waitForEpoch(3)
        let victims = [try #require(job.workers.last), try #require(job.coordinators.first)]
        for victim in workerFirst ? victims : victims.reversed() { kill(victim, SIGKILL) }
        let step = try run.waitForStart()
        #expect(try run.waitForGeneration() == step)
        try run.waitForEpoch()
        try job.expectUndisturbed(run, "run")
        #expect(try !job.text("run/log.txt").contains("going back"))
    }

    @Test func `all workers but one are killed and no step is lost`() throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 3)
        try run.waitForEpoch(3)
        for worker in job.workers.dropFirst() { kill(worker, SIGKILL) }
        try run.waitForGenerationEnd()
        try run.waitForEpoch()
        try job.expectUndisturbed(run, "run")
        #expect(try !job.text("run/log.txt").contains("going back"))
    }

    @Test func `started by hand, it finds the step in its journal and its workers where they are`() throws {
        let hand = try HandStarted(workers: 2)
        try hand.coordinator.waitForStep(7)
        hand.killCoordinator()
        let again = try hand.resume()
        let step = try again.waitForStart()
        #expect(step >= 7)
        #expect(try again.waitForGeneration(workers: 2) == step)
        try again.waitForEpoch()
        try hand.job.expectUndisturbed(again, "run")
    }

    /// The coordinator blocks on its log, after a step's entry in the journal and before any worker is told to commit
    /// it.
    @Test func `a commit that no worker has heard of is made after the restart`() throws {
        let job = try SmallJob()
        let log = try FullLog(job, "run")
        log.empty(bytes: 1 << 13)
        let hand = try HandStarted(job, workers: 2)
        log.waitUntilFull(for: hand.coordinator.identifier)
        try hand.coordinator.waitForGeneration()
        hand.killCoordinator()
        log.drain()
        let again = try hand.resume()
        let step = try again.waitForStart()
        #expect(try again.waitForGeneration(workers: 2) == step)
        try again.waitForEpoch()
        try job.expectUndisturbed(again, "run")
        withExtendedLifetime(log) {}
    }

    /// As after a failure of the coordinator's host: the last writes never reached the disk.
    @Test func `a journal that lacks its end is made good from the workers`() throws {
        let hand = try HandStarted(workers: 2, "--checkpoint-every", "1000000", "--batch-size", "2", samples: 400)
        try hand.coordinator.waitForStep(9)
        hand.killCoordinator()
        let journal = hand.job.path("run/journal")
        let entries = try Data(contentsOf: URL(filePath: journal)).split(separator: 0x0A)
        try #require(entries.count > 5)
        try Data(entries.dropLast(2).joined(separator: [0x0A]).dropLast(5)).write(to: URL(filePath: journal))
        let again = try hand.resume()
        let step = try again.waitForStart()
        let newest = try again.waitForGeneration(workers: 2)
        #expect(newest > step)
        try again.waitForStep(newest + 3)
        let said = try hand.job.expectUndisturbed(again, "run", ["--batch-size", "2"]).output
        #expect(said.contains { $0.contains("dropped an incomplete entry of ") }, "\(said)")
    }

    /// All of the first steps are in one epoch, so there is no checkpoint yet.
    @Test func `without its workers it goes on from the newest checkpoint, and each step is told of once`() throws {
        let hand = try HandStarted(workers: 2, "--batch-size", "2", samples: 4_000)
        try hand.coordinator.waitForStep(7)
        hand.killCoordinator()
        for worker in hand.workers { worker.send(SIGKILL) }
        let again = try hand.resume()
        let workers = try (0..<2).map { _ in try hand.worker() }
        try again.waitForStart()
        #expect(try again.waitForGeneration() == 0)
        try again.waitForEpoch()
        let said = try hand.job.expectUndisturbed(again, "run", ["--batch-size", "2"]).output
        #expect(said.contains { $0.contains("redone after losses") }, "\(said)")
        withExtendedLifetime(workers) {}
    }

    @Test func `there are never two coordinators of one run`() throws {
        let hand = try HandStarted(workers: 1)
        try hand.coordinator.waitForStep(2)
        let other = try ApusProcess(
            [
                "coordinate", "--resume", "--output", hand.job.path("run"), "--workers", "1", "--endpoint",
                "ipc://\(hand.job.path("other"))",
            ])
        expectOneLine(other, status: 2, "is in use by another run")
        try hand.job.expectUndisturbed(hand.coordinator, "run")
    }
}

/// A coordinator and workers that no launcher watches over, at a socket in the job's folder.
final class HandStarted {
    let job: SmallJob
    let coordinator: RunningApus
    private(set) var workers: [RunningApus] = []
    private let count: Int
    private var endpoint: String { "ipc://\(job.path("control"))" }

    init(_ given: SmallJob? = nil, workers count: Int, _ options: String..., samples: Int = 22) throws {
        let job = try given ?? SmallJob(samples: samples)
        self.job = job
        self.count = count
        coordinator = try RunningApus(
            ["coordinate", "--workers", "\(count)", "--endpoint", "ipc://\(job.path("control"))"]
                + job.command("run", SmallJob.endless + options).dropFirst())
        for _ in 0..<count { workers.append(try worker()) }
    }

    func worker() throws -> RunningApus { try RunningApus(["work", "--coordinator", endpoint, "--threads", "1"]) }

    func killCoordinator() {
        coordinator.send(SIGKILL)
        #expect(coordinator.end().status == SIGKILL)
    }

    func resume() throws -> RunningApus {
        let command = [
            "coordinate", "--resume", "--output", job.path("run"), "--workers", "\(count)", "--endpoint", endpoint,
        ]
        return try RunningApus(command, after: coordinator.events)
    }
}
