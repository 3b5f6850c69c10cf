import Testing

@testable import Chaos

/// What a chaos run does is decided before it begins, by the seed and the run's number.
@Suite struct ChaosPlanTests {
    private static let steps = 300

    private static func plan(_ run: Int, seed: UInt64 = 1, spares: Bool = false) -> ChaosPlan {
        ChaosPlan(seed: seed, run: run, steps: steps, sparesCoordinator: spares)
    }

    private static func deeds(_ run: Int, spares: Bool = false) -> [ChaosPlan.Deed] {
        plan(run, spares: spares).strikes.map(\.deed)
    }

    @Test func `the same seed and run give the same plan, others give others`() {
        for run in 1...40 { #expect(Self.plan(run) == Self.plan(run)) }
        #expect(Set((1...40).map { "\(Self.plan($0).strikes)" }).count == 40)
        #expect(Self.plan(1) != Self.plan(1, seed: 2))
    }

    @Test func `every run loses one to three workers, and two to four take part`() {
        for run in 1...200 {
            let lost = Self.deeds(run).count { $0 == .kill || $0 == .end }
            #expect((1...3).contains(lost), "\(run)")
            #expect(Self.plan(run).workers == 2 + (run - 1) % 3)
        }
    }

    @Test func `every second run cuts a worker's connections, every fourth the coordinator's`() {
        for run in 1...200 {
            let deeds = Self.deeds(run)
            let isCut = deeds.contains { if case .cut(_, let times, _) = $0 { times >= 3 } else { false } }
            let isCoordinatorCut = deeds.contains { if case .cutCoordinator = $0 { true } else { false } }
            #expect(isCut == (run % 2 == 0) && isCoordinatorCut == (run % 4 == 0), "\(run)")
        }
        let cut = (1...200).flatMap { Self.deeds($0) }.compactMap {
            if case .cut(let links, _, _) = $0 { links } else { nil }
        }
        #expect(ChaosPlan.Links.allCases.allSatisfy(cut.contains))
    }

    @Test
    func
        `runs slow, kill the coordinator and freeze past the deadline by their numbers`()
    {
        for run in 1...200 {
            let deeds = Self.deeds(run)
            let isSlowed = deeds.contains { if case .slow = $0 { true } else { false } }
            #expect(isSlowed == (run % 3 == 0), "\(run)")
            #expect(deeds.contains(.killCoordinator) == (run % 5 == 0), "\(run)")
            #expect(deeds.contains(.freeze(ChaosPlan.pastTheDeadline)) == (run % 7 == 0), "\(run)")
            #expect(deeds.contains(.freezeCoordinator(ChaosPlan.pastTheDeadline)) == (run % 11 == 0), "\(run)")
        }
        #expect(ChaosPlan.pastTheDeadline > .seconds(3))
    }

    @Test func `a coordinator that is to be spared is`() {
        for run in 1...200 {
            let deeds = Self.deeds(run, spares: true)
            let isCut = deeds.contains { if case .cutCoordinator = $0 { true } else { false } }
            #expect(!isCut, "\(run)")
            #expect(
                !deeds.contains(.killCoordinator) && !deeds.contains(.freezeCoordinator(ChaosPlan.pastTheDeadline)),
                "\(run)")
        }
    }

    @Test func `deeds lie within the run, in order, and some follow another within its recovery`() {
        var following = 0
        for run in 1...200 {
            var last = 0
            for strike in Self.plan(run).strikes {
                switch strike.moment {
                case .afterStep(let step, let delay):
                    #expect(step >= last && step < Self.steps && delay < .seconds(1), "\(run)")
                    last = step
                case .afterPrevious(let delay):
                    #expect(delay < .milliseconds(400), "\(run)")
                    following += 1
                case .inCheckpoint: Issue.record("run \(run) waits for a checkpoint")
                }
            }
        }
        #expect(following > 20)
    }

    @Test func `a run that kills everything does so while a checkpoint is written`() {
        for run in 1...100 {
            let plan = ChaosPlan(killingEverythingWith: 1, run: run, steps: 300, checkpointEvery: 50)
            guard plan.strikes.count == 1, case .inCheckpoint(let step, _) = plan.strikes[0].moment else {
                Issue.record("\(plan)")
                continue
            }
            #expect(step % 50 == 0 && step < 300, "a checkpoint still follows")
        }
    }
}
