import Testing

@testable import Coordination
@testable import Learning
@testable import Runs

/// Where a run is, over every short sequence of what can happen to it.
@Suite struct RunPositionTests {
    private func position(_ entries: [JournalEntry] = [], after base: Int = 0) throws -> RunPosition {
        RunPosition(try #require(JournalHistory([.run(id: 7, after: base)] + entries)))
    }

    @Test func `a committed step is pending until every worker was told`() throws {
        var position = try position()
        #expect(position.commit == nil && position.pendingCommit == nil)
        let done = PositionedRun.done(1)
        #expect(position.commit(done) == .committed(done))
        #expect((position.committed, position.reached) == (1, 1))
        #expect(position.pendingCommit == done.commit && position.commit == done.commit)
        position.tellAll()
        #expect(position.pendingCommit == nil && position.commit == done.commit)
    }

    @Test func `what a worker knows beyond the journal becomes the position, with its commit if that is known`() throws
    {
        var position = try position([.committed(PositionedRun.done(1))])
        #expect(position.move(to: 3) == .moved(to: 3))
        #expect((position.committed, position.reached) == (3, 3))
        // The commit of step 1 is not that of step 3.
        #expect(position.commit == nil && position.newestCommit == nil)
        position.form(knowing: PositionedRun.done(3).commit)
        #expect(position.newestCommit == PositionedRun.done(3).commit)
    }

    @Test func `lost steps are recomputed up to the newest, whose commit stays known`() throws {
        var position = try position()
        for step in 1...3 {
            _ = position.commit(PositionedRun.done(step))
            position.tellAll()
        }
        #expect(position.revert(to: 0, base: 0) == .moved(to: 0))
        #expect((position.committed, position.reached) == (0, 3))
        #expect(position.newestCommit == PositionedRun.done(3).commit)
        position.form(knowing: nil)
        for step in 1...3 {
            #expect(position.commit == (step == 1 ? nil : PositionedRun.done(step - 1).commit))
            _ = position.commit(PositionedRun.done(step))
            position.tellAll()
        }
        #expect((position.committed, position.reached) == (3, 3))
    }

    @Test func `the floor is the journal's base, or the older checkpoint that the state was reverted to`() throws {
        var position = try position([], after: 8)
        #expect(position.floor(base: 8) == 8)
        _ = position.revert(to: 4, base: 8)
        #expect(position.floor(base: 8) == 4)
        // A checkpoint was written since.
        #expect(position.floor(base: 12) == 12)
    }

    /// Six transitions deep: a restarted coordinator, which has only the journal, finds the same position.
    @Test func `after every sequence of transitions the journal describes the position`() {
        var search = PositionSearch()
        search.visit(PositionedRun(), depth: 6)
        #expect(search.problems.isEmpty, "\(search.problems.prefix(3))")
        #expect(search.visited > 4_000)
    }

    @Test func `each end of a generation names its ranks`() {
        let links = UnlinkedRanks([1], missedBy: 0)
        let ends: [(GenerationEnd, named: Int?, untrue: [Int: String], links: UnlinkedRanks, isSplit: Bool)] = [
            (.lost(rank: 2, reason: "r"), 2, [:], UnlinkedRanks(), false),
            (.untrue(1, "r"), nil, [1: "r"], UnlinkedRanks(), false),
            (.untrue([0: "a", 3: "b"], reason: "r"), nil, [0: "a", 3: "b"], UnlinkedRanks(), false),
            (.unlinked(links, reason: "r"), nil, [:], links, false),
            (.split(reason: "r"), nil, [:], UnlinkedRanks(), true),
            (.failed(reason: "r"), nil, [:], UnlinkedRanks(), false),
        ]
        for end in ends {
            #expect(end.0.reason == "r")
            #expect(end.0.namedRank == end.named && end.0.untrueRanks == end.untrue)
            #expect(end.0.deadLinks == end.links && end.0.isSplit == end.isSplit)
        }
    }
}

/// A run with its journal and what its workers were told.
private struct PositionedRun {
    enum Transition: CaseIterable {
        case commit
        case tellAll
        case form
        case formKnowing
        case moveBack
        case moveAhead
        case revert
    }

    var position: RunPosition
    private var entries: [JournalEntry] = [.run(id: 7, after: 0)]
    private(set) var story: [Transition] = []

    init() {
        guard let history = JournalHistory([.run(id: 7, after: 0)]) else { preconditionFailure("a history with a run") }
        position = RunPosition(history)
    }

    static func done(_ step: Int) -> CommittedStep {
        let update = OptimizerSettings(kind: .adam, weightDecay: 0, maxGradientNorm: nil).update(
            step: step, learningRate: 1, gradientScale: 1)
        return CommittedStep(
            incarnation: 1, generation: 1, commit: Commit(step: step, update, lossSum: Double(step)), plan: 0,
            lanes: [], redone: false, seconds: 0)
    }

    /// - Returns: nil if it cannot happen now.
    func after(_ transition: Transition) -> PositionedRun? {
        var next = self
        next.story.append(transition)
        switch transition {
        case .commit:
            guard position.pendingCommit == nil else { return nil }
            next.entries.append(next.position.commit(Self.done(position.committed + 1)))
        case .tellAll:
            guard position.pendingCommit != nil else { return nil }
            next.position.tellAll()
        case .form: next.position.form(knowing: nil)
        case .formKnowing:
            guard position.committed > 0 else { return nil }
            next.position.form(knowing: Self.done(position.committed).commit)
        case .moveBack:
            guard position.committed > 0 else { return nil }
            next.entries.append(next.position.move(to: position.committed - 1))
        case .moveAhead: next.entries.append(next.position.move(to: position.committed + 1))
        case .revert: next.entries.append(next.position.revert(to: 0, base: 0))
        }
        return next
    }

    var problem: String? {
        guard let history = JournalHistory(entries) else { return "no history" }
        let restarted = RunPosition(history)
        guard restarted.committed == position.committed, restarted.reached == position.reached else {
            return "restarted after \(restarted.committed) of \(restarted.reached), "
                + "not \(position.committed) of \(position.reached)"
        }
        for commit in [position.commit, position.pendingCommit, restarted.commit].compactMap({ $0 })
        where commit != Self.done(position.committed).commit { return "the commit of step \(commit.step)" }
        if let newest = position.newestCommit, newest != Self.done(position.reached).commit {
            return "step \(newest.step) as the newest"
        }
        if case .commit? = story.last {
            guard restarted.commit == position.commit, position.pendingCommit != nil else { return "a lost commit" }
        }
        return nil
    }
}

private struct PositionSearch {
    private(set) var visited = 0
    private(set) var problems: [String] = []

    mutating func visit(_ run: PositionedRun, depth: Int) {
        visited += 1
        if let problem = run.problem { problems.append("\(problem): \(run.story)") }
        guard depth > 0 else { return }
        for transition in PositionedRun.Transition.allCases {
            if let next = run.after(transition) { visit(next, depth: depth - 1) }
        }
    }
}
