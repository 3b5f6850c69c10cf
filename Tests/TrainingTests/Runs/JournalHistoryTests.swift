import BERT
import Foundation
import Testing

@testable import Coordination
@testable import Files
@testable import Learning
@testable import Runs
@testable import Wording

@Suite struct JournalHistoryTests {
    /// Four steps an epoch, the last one short.
    private let plan = TrainingPlan(
        seed: 1, batchSize: 3, accumulate: 1, laneCount: 2, epochs: 3, maxSteps: nil,
        lengths: (0..<10).map { 5 + $0 % 3 })

    private func committed(_ step: Int, redone: Bool = false) -> JournalEntry {
        let planned = plan.step(step, order: plan.order(ofEpoch: plan.epoch(ofStep: step)))
        let update = OptimizerSettings(kind: .adam, weightDecay: 0, maxGradientNorm: nil).update(
            step: step, learningRate: 1, gradientScale: 1)
        return .committed(
            CommittedStep(
                incarnation: .max, generation: 3, commit: Commit(step: step, update, lossSum: 0.1, norm: 2.5),
                plan: planned.digest,
                lanes: planned.laneDigests, redone: redone, seconds: 0.25))
    }

    private func history(_ entries: [JournalEntry], after base: Int = 0) throws -> JournalHistory {
        try #require(JournalHistory([.run(id: .max - 1, after: base)] + entries))
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity]) func `an evaluation that is not a number comes back too`(
        loss: Double
    ) throws {
        var progress = RunProgress()
        progress.latest = EvaluationReport([ChunkScore(lossSum: loss, lossCount: 1, samples: 1)], .regression())
        guard case .progress(let found)? = JournalEntry(bytes: JournalEntry.progress(progress).bytes) else {
            throw Missing()
        }
        #expect(found.latest?.loss.description == loss.description && found.latest?.samples == 1)
    }

    private struct Missing: Error {}

    @Test func `a figure that is not a number is worse than any`() {
        func report(_ loss: Double) -> EvaluationReport {
            EvaluationReport([ChunkScore(lossSum: loss, lossCount: 1, samples: 1)], .regression())
        }
        #expect(report(2).isBetter(than: report(.nan), by: .loss) && !report(.nan).isBetter(than: report(2), by: .loss))
        #expect(
            report(.infinity).isBetter(than: report(.nan), by: .loss)
                && !report(.nan).isBetter(than: report(.nan), by: .loss))
        #expect(report(1).isBetter(than: report(2), by: .loss) && !report(2).isBetter(than: report(2), by: .loss))
    }

    @Test func `entries come back from their bytes`() throws {
        let all: [JournalEntry] = [
            .run(id: .max, after: 4),
            .run(id: 1, after: 0, identity: RunIdentity(data: ["train": "0"], options: "a: b\nc: d\n")),
            .generation(.max), committed(5), .counted(from: 1, through: 9), .moved(to: 3), .renamed(run: 8),
            .progress(RunProgress()),
            .formed(generation: .max, after: 7, state: .max),
        ]
        for entry in all {
            #expect(JournalEntry(bytes: entry.bytes) == entry)
            #expect(!entry.bytes.contains(0x0A))
        }
        #expect(JournalEntry(bytes: Array("{}".utf8)) == nil)
        // A step without its end, and text that is no row of numbers.
        #expect(JournalEntry(bytes: Array(committed(5).bytes.prefix(60))) == nil)
        for text in ["step ", "step AAAA", "step *", "step"] { #expect(JournalEntry(bytes: Array(text.utf8)) == nil) }
    }

    @Test func `what the newest generation began with stays known after a checkpoint and when a journal is shortened`()
        throws
    {
        let formed = [1, 2].map { JournalEntry.formed(generation: UInt32($0), after: $0, state: UInt64(40 + $0)) }
        var found = try history([
            .generation(1), formed[0], committed(1), committed(2), .generation(2), formed[1], committed(3),
        ])
        found.shorten()
        #expect(found.formed == formed[1] && found.entries.contains(formed[1]) && !found.entries.contains(formed[0]))
        found.restart(from: RunProgress())
        #expect(found.formed == formed[1] && found.entries.contains(formed[1]) && found.step == 3)
    }

    @Test func `a history knows where the run is and how far it ever was`() throws {
        var progress = RunProgress()
        progress.evaluatedStep = 4
        let found = try history([
            .generation(1), committed(1), committed(2), committed(3), .generation(2), .moved(to: 1),
            committed(2, redone: true), .progress(progress),
        ])
        #expect(found.run == .max - 1 && found.generation == 2 && found.step == 2 && found.reached == 3)
        #expect(found.newest?.step == 2 && found.newest?.redone == true)
        #expect(found.progress == progress)
        #expect(JournalHistory([committed(1)]) == nil)
        #expect(try history([.renamed(run: 5)]).run == 5)
    }

    @Test func `a checkpoint restarts it and keeps run, generation, progress and the newest commit`() throws {
        var found = try history([.generation(7), committed(1), committed(2), .renamed(run: 5)])
        var progress = RunProgress()
        progress.step = 2
        found.restart(from: progress)
        let again = try #require(JournalHistory(found.all))
        #expect(again == found)
        #expect(again.run == 5 && again.base == 2 && again.step == 2 && again.reached == 2 && again.generation == 7)
        #expect(again.newest?.step == 2 && again.progress == progress && again.entries.count == 3)
    }

    @Test func `shortened it tells the same of the run, and its ledger counts the same`() throws {
        for entries in [
            [committed(1), committed(2), committed(3)], [.generation(2)],
            [committed(1), committed(2), .moved(to: 1), committed(2), committed(3)],
            [committed(1), committed(2), committed(3), .moved(to: 1)],
        ] {
            let long = try history([.generation(2)] + entries)
            var short = long
            short.shorten()
            let again = try #require(JournalHistory(short.all))
            #expect(again == short)
            #expect(again.step == long.step && again.reached == long.reached && again.base == long.base)
            #expect(again.newest == (long.newest?.step == long.step ? long.newest : nil))
            let ledger = try Ledger(plan, again)
            for step in (again.step + 1)...4 {
                ledger.count(plan.step(step, order: plan.order(ofEpoch: 1)), redone: false)
            }
            #expect(ledger.account.text == "10 of 10 samples computed, each exactly once")
        }
    }

    @Test func `a ledger counts from the digests, over a checkpoint and over a restart`() throws {
        let ledger = try Ledger(plan, history([committed(2), committed(3), committed(4, redone: true)], after: 1))
        #expect(
            ledger.account.text
                == "10 of 10 samples computed, each exactly once, 3 of them before this process began, 1 redone after "
                + "losses"
        )
        let back = try Ledger(
            plan,
            history([
                committed(1), committed(2), .moved(to: 0), committed(1, redone: true), committed(2), committed(3),
                committed(4),
            ]))
        #expect(back.account.text == "10 of 10 samples computed, each exactly once, 3 redone after losses")
        // The newest commit stays in a journal restarted at its step, and is not counted again.
        let again = try Ledger(plan, history([committed(2), committed(3), committed(4)], after: 2))
        #expect(
            again.account.text == "10 of 10 samples computed, each exactly once, 6 of them before this process began")
    }

    @Test func `a first entry of an older build names no identity, and what it does not say is not compared`() throws {
        let entry = try #require(JournalEntry(bytes: Array(#"{"run":{"id":7,"after":4}}"#.utf8)))
        #expect(entry == .run(id: 7, after: 4))
        #expect(try history([]).identity == nil)
    }

    @Test func `the identity stays in a journal that begins again or is shortened`() throws {
        let identity = RunIdentity(
            data: ["train": "ab"], model: ["config.json": "cd"], labels: "ef", options: "x", plannedSteps: 12,
            arithmetic: "a")
        var found = try #require(
            JournalHistory([.run(id: 3, after: 0, identity: identity), .generation(1), committed(1), committed(2)]))
        var progress = RunProgress()
        progress.step = 2
        for change in [{ $0.shorten() }, { $0.restart(from: progress) }] as [(inout JournalHistory) -> Void] {
            change(&found)
            let again = try #require(JournalHistory(found.all.compactMap { JournalEntry(bytes: $0.bytes) }))
            #expect(again.identity == identity)
        }
    }

    @Test func `a journal of a later format is not read`() throws {
        let later = try #require(JournalHistory([.run(id: 1, after: 0, format: JournalEntry.format + 1)]))
        #expect(later.problem(in: plan)?.contains("format \(JournalEntry.format + 1)") == true)
        #expect(try #require(JournalHistory([.run(id: 1, after: 0, format: 1)])).problem(in: plan) == nil)
    }

    /// Entries with right digests and numbers that no run writes: 12 steps in all.
    @Test func `numbers that no run writes are found before any is used`() throws {
        func progress(_ change: (inout RunProgress) -> Void) -> JournalEntry {
            var progress = RunProgress()
            progress.step = 2
            change(&progress)
            return .progress(progress)
        }
        let fine: [[JournalEntry]] = [
            [], [committed(1), committed(2), .moved(to: 0), committed(1, redone: true)],
            [.counted(from: 1, through: 12), .moved(to: 12)],
            [.moved(to: 9), committed(9), committed(10)], [.generation(8), .renamed(run: 3)],
            [committed(1), committed(2), progress { ($0.evaluatedStep, $0.bestStep, $0.evaluatedEpochs) = (2, 1, 1) }],
        ]
        for entries in fine { #expect(try history([.generation(1)] + entries).problem(in: plan) == nil, "\(entries)") }
        let odd: [[JournalEntry]] = [
            [.counted(from: -5, through: 9)], [.counted(from: 1, through: 13)], [.counted(from: 1, through: .max)],
            [.counted(from: 3, through: 4)],
            [.counted(from: 1, through: 0)], [.counted(from: 1, through: .min)], [.moved(to: -1)], [.moved(to: .min)],
            [.moved(to: 13)], [.moved(to: .max)],
            [committed(2)], [committed(1), committed(3)], [.moved(to: 11), committed(13)], [.generation(.max)],
            [.formed(generation: 1, after: -1, state: 0)], [.formed(generation: 1, after: .max, state: 0)],
            [progress { $0.step = -1 }], [progress { $0.step = .min }], [progress { $0.step = .max }],
            [progress { $0.evaluatedEpochs = -3 }],
            [progress { $0.evaluatedEpochs = 1_000_000_000_000_000_000 }], [progress { $0.bestStep = -1 }],
            [progress { $0.evaluatedStep = -9 }],
            [progress { $0.evaluatedSourceStep = .max }], [progress { $0.evaluationsSinceBest = -1 }],
        ]
        for entries in odd { #expect(try history([.generation(1)] + entries).problem(in: plan) != nil, "\(entries)") }
        for base in [-7, 13, Int.min, .max] {
            #expect(try history([.generation(1)], after: base).problem(in: plan) != nil, "\(base)")
        }
    }

    @Test func `a whole entry that says nothing to this build is found`() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "apus-j-\(UInt32.random(in: 0 ... .max))")
            .path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let entries = [JournalEntry.run(id: 1, after: 0), .generation(1)].map(\.bytes)
        _ = try RecordLog(file, records: entries)
        #expect(try JournalHistory(file: file)?.problem(in: plan) == nil)
        _ = try RecordLog(file, records: entries + [Array(#"{"new":{}}"#.utf8)])
        #expect(try JournalHistory(file: file)?.problem(in: plan) != nil)
    }

    @Test func `digests that are not the plan's are refused`() throws {
        guard case .committed(var other) = committed(1) else { return }
        other.lanes[1] ^= 1
        #expect(throws: RunError.self) { try Ledger(plan, history([.committed(other)])) }
        guard case .committed(var later) = committed(2) else { return }
        later.plan ^= 1
        #expect(throws: RunError.self) { try Ledger(plan, history([committed(1), .committed(later)])) }
    }
}
