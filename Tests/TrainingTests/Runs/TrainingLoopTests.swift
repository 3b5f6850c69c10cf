import Testing

@testable import Learning
@testable import Runs

/// The steps of a run with what is between them, over a scripted engine.
@Suite struct TrainingLoopTests {
    @Test func `each epoch ends with an evaluation and a checkpoint, and the best one is kept`() async throws {
        let job = ScriptedJob(losses: [1, 9, 9, 9, 3, 9, 9, 9, 2, 9, 9, 9])
        let end = try await job.process()
        #expect(end.outcome == .finished)
        #expect(
            end.run.disk.metrics
                == (1...4).map { "step \($0)" } + ["validation 4"] + (5...8).map { "step \($0)" } + ["validation 8"]
                + (9...12).map { "step \($0)" } + ["validation 12"])
        #expect(end.run.disk.checkpoint?.step == 12)
        #expect(end.run.disk.best == 12 && end.progress.bestStep == 12)
    }

    @Test(arguments: [1, 2])
    func `without improvement for too long the run stops early, after a checkpoint`(patience: Int) async throws {
        // After steps 2, 4, 6, …: the second one is the best.
        let job = ScriptedJob(losses: [7, 0, 5, 0, 4, 0, 6, 0, 8, 0, 9, 0], patience: patience, evalEvery: 2)
        let end = try await job.process()
        #expect(end.outcome == .finished)
        #expect(end.progress.step == 4 + 2 * patience && end.progress.stoppedEarly == true)
        #expect(end.run.disk.checkpoint?.step == 4 + 2 * patience)
        #expect(end.run.disk.checkpoint?.stoppedEarly == true)
        #expect(end.run.disk.best == 4)
        #expect(end.run.disk.said.count == 1 && end.run.disk.said[0].hasPrefix("stopped early: "))
    }

    @Test(arguments: 1...11)
    func `a signal ends the run after its step, with a checkpoint, from which it goes on`(step: Int) async throws {
        let job = ScriptedJob(losses: [3, 5, 4, 1, 6], evalEvery: 3, checkpointEvery: 2)
        let whole = try await job.process()
        let stopped = try await job.process { $0.stopsIn = step }
        #expect(stopped.outcome == .stopped(signal: 15))
        #expect(stopped.progress.step == step && stopped.run.disk.checkpoint?.step == step)
        let resumed = try await job.process(stopped.run.disk)
        #expect(resumed.outcome == .finished)
        #expect(resumed.progress == whole.progress && resumed.run.disk == whole.run.disk)
    }

    @Test func `a step that cannot be computed ends the run, after a checkpoint of the one before`() async throws {
        let job = ScriptedJob(losses: [1])
        let end = try await job.process { $0.failsIn = 6 }
        guard case .failed(let step, isSaved: true) = end.outcome else {
            Issue.record("\(String(describing: end.outcome))")
            return
        }
        #expect(step.step == 6 && end.run.disk.checkpoint?.step == 5)
        let first = try await job.process { $0.failsIn = 1 }
        guard case .failed(_, isSaved: false) = first.outcome else {
            Issue.record("\(String(describing: first.outcome))")
            return
        }
        #expect(first.run.disk.checkpoint == nil)
    }

    @Test func `a checkpoint that found no room is written at the next occasion`() async throws {
        let job = ScriptedJob(losses: [1], checkpointEvery: 2, hasValidation: false)
        let end = try await job.process { $0.fullDisk = [2, 4] }
        #expect(end.outcome == .finished && end.run.disk.checkpoint?.step == 12)
        let stopped = try await job.process {
            $0.fullDisk = [4]
            $0.stopsIn = 4
        }
        #expect(stopped.run.disk.checkpoint?.step == 2)
    }

    /// The process ends at each of its actions, once more at each action of the next one, and is resumed, with and
    /// without a journal: the run ends as an undisturbed one.
    @Test(arguments: [false, true], [nil, 2])
    func `wherever processes end, the run ends the same`(hasJournal: Bool, evalEvery: Int?) async throws {
        var cuts = 0
        for maxSteps in [nil, 7] {
            for patience in [nil, 1, 2] {
                for losses in [[5.0, 4, 3, 2, 1], [1, 2, 3, 4, 5], [3, 4, 2, 6, 5, 7]] {
                    let job = ScriptedJob(
                        maxSteps: maxSteps, losses: losses, patience: patience, evalEvery: evalEvery,
                        checkpointEvery: evalEvery.map { $0 + 1 }, hasJournal: hasJournal)
                    let whole = try await job.process()
                    for first in 0..<whole.run.actions {
                        let cut = try await job.process(ends: first)
                        #expect(cut.outcome == nil)
                        let second = first * 7 % 9
                        let twice = try await job.process(cut.run.disk, ends: second)
                        for disk in [cut.run.disk, twice.run.disk] {
                            let resumed = try await job.process(disk)
                            #expect(resumed.outcome == .finished)
                            expectSame(resumed, whole, "\(job), ended after \(first) and \(second) actions")
                            cuts += 1
                        }
                    }
                }
            }
        }
        #expect(cuts > 500)
    }

    private func expectSame(_ one: ScriptedJob.End, _ whole: ScriptedJob.End, _ how: String) {
        var (found, expected) = (one.progress, whole.progress)
        // Kept in the process that found it, or in the next one.
        (found.keptBestStep, expected.keptBestStep) = (nil, nil)
        #expect(found == expected, "\(how)")
        #expect(one.run.disk.checkpoint?.step == whole.run.disk.checkpoint?.step, "\(how)")
        #expect(one.run.disk.best == whole.run.disk.best, "\(how)")
        #expect(one.run.disk.metrics.sorted() == whole.run.disk.metrics.sorted(), "\(how)")
    }
}
