import Testing

@testable import Coordination
@testable import Learning
@testable import Runs

@Suite struct GenerationStartTests {
    private static func commit(_ step: Int) -> Commit {
        Commit(
            step: step,
            OptimizerSettings(kind: .adam, weightDecay: 0, maxGradientNorm: nil).update(
                step: step, learningRate: 1, gradientScale: 1))
    }

    private func held(_ step: Int?, kept: Int? = nil, knows: Int? = nil, run: UInt64 = 7) -> HeldState {
        HeldState(run: run, committedStep: step, keptStep: kept, commit: knows.map(Self.commit))
    }

    private func start(_ held: [HeldState], newest: Int? = nil, floor: Int = 0) -> GenerationStart? {
        GenerationStart(held, run: 7, known: newest.map { [Self.commit($0)] } ?? [], floor: floor)
    }

    @Test func `a state after a step that no run has counts for nothing`() {
        for step in [-1, 10, Int.max] {
            #expect(
                GenerationStart([held(step), held(3)], run: 7, known: [], floor: 0, last: 9)?.ways == [
                    .receives, .has,
                ], "\(step)")
        }
        #expect(GenerationStart([held(9), held(3)], run: 7, known: [], floor: 0, last: 9)?.step == 9)
        // A gradient that a worker kept does not lead to it either.
        #expect(
            GenerationStart([held(10, knows: 10), held(9, kept: 10)], run: 7, known: [], floor: 0, last: 9)?.ways == [
                .receives, .has,
            ])
    }

    @Test func `the newest state that any worker has is everyone's`() {
        let found = start([held(4), held(6), HeldState(), held(6)])
        #expect(found?.step == 6)
        #expect(found?.ways == [.receives, .has, .receives, .has])
        #expect(found?.donors == [1, nil, 3, nil])
    }

    @Test func `a kept gradient is applied where its commit is known, from the journal or from another worker`() {
        for found in [
            start([held(5, kept: 6), HeldState()], newest: 6), start([held(5, kept: 6), held(6, knows: 6)], newest: 5),
        ] {
            #expect(found?.step == 6)
            #expect(found?.ways[0] == .applies(Self.commit(6)))
            #expect(found?.commit == Self.commit(6))
        }
    }

    @Test func `without a commit the kept gradient's step is given up`() {
        let found = start([held(5, kept: 6), held(5, kept: 6)], newest: 5)
        #expect(found?.step == 5)
        #expect(found?.ways == [.has, .has])
    }

    @Test func `a gradient kept for a step further on than the commit is no use`() {
        #expect(start([held(5, kept: 6)], newest: 7)?.step == 5)
        #expect(start([held(5, kept: 6), held(7)], newest: 7)?.ways == [.receives, .has])
    }

    @Test func `states of other runs, none at all, and those older than the checkpoint count for nothing`() {
        #expect(start([HeldState(), held(9, run: 8), held(nil)]) == nil)
        #expect(start([held(3), held(2, kept: 3)], newest: 3, floor: 4) == nil)
        #expect(start([held(3, kept: 4)], newest: 4, floor: 4)?.step == 4)
    }

    @Test func `whoever dies, a step that one worker made or can make is not lost`() {
        // Each of three workers has seen step 6 committed, kept its gradient, or lies behind; any may be gone.
        let states: [HeldState?] = [nil, held(6, knows: 6), held(5, kept: 6), held(5), HeldState()]
        for a in states {
            for b in states {
                for c in states {
                    let there = [a, b, c].compactMap { $0 }
                    for journal in [5, 6] {
                        let found = start(there, newest: journal)
                        let isKnown = journal == 6 || there.contains { $0.commit?.step == 6 }
                        let canBe6 = there.contains { $0.committedStep == 6 || isKnown && $0.keptStep == 6 }
                        #expect((found?.step == 6) == canBe6)
                        #expect((found == nil) == there.allSatisfy { $0.committedStep == nil })
                        for (state, way) in zip(there, found?.ways ?? []) where way != .receives {
                            #expect(
                                state.committedStep == found?.step
                                    || way == .applies(Self.commit(6)) && state.keptStep == 6)
                        }
                    }
                }
            }
        }
    }

    @Test func `where nobody has a state everybody takes the coordinator's`() {
        #expect(GenerationStart(step: 3, workers: 2).donors == [2, 2])
    }
}
