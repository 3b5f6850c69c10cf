import Testing

@testable import Coordination

@Suite struct StepPaceTests {
    @Test func `before the first step there is time to warm up`() {
        #expect(StepPace(floor: .seconds(5)).limit == StepPace.first)
        #expect(StepPace(floor: .seconds(5)).usual == nil)
    }

    @Test func `a step may last twenty usual ones, and never less than the floor`() {
        var pace = StepPace(floor: .seconds(5))
        pace.add(.milliseconds(100), samples: 8)
        #expect(pace.limit == .seconds(5))
        for _ in 0..<40 { pace.add(.seconds(2), samples: 8) }
        #expect(pace.limit == .seconds(40))
    }

    @Test func `a worker with more lanes has more time`() {
        var pace = StepPace(floor: .seconds(1))
        pace.lanes = 2
        for _ in 0..<5 { pace.add(.seconds(3), samples: 8) }
        #expect(pace.usual == .seconds(3))
        pace.lanes = 64
        #expect(pace.usual == .seconds(96) && pace.limit == .seconds(1_920))
        pace.lanes = 1
        #expect(pace.usual == .milliseconds(1_500))
    }

    @Test func `one slow step does not make the rest slow`() {
        var pace = StepPace(floor: .seconds(1))
        for step in 0..<31 { pace.add(step % 5 == 0 ? .seconds(60) : .milliseconds(200), samples: 8) }
        #expect(pace.usual == .milliseconds(200))
        #expect(pace.limit == .seconds(4))
    }

    @Test func `much data has more time, and little of it not less than the first step`() {
        var pace = StepPace(floor: .seconds(30))
        pace.add(.seconds(3), samples: 32)
        #expect(pace.limit(samples: 32) == StepPace.first)
        #expect(pace.limit(samples: 3_200) == .seconds(6_000))
    }

    @Test func `a state also has time for its bytes`() {
        var pace = StepPace(floor: .seconds(5))
        pace.add(.milliseconds(100), samples: 8)
        #expect(pace.limit(stateOf: 1_000_000) == .seconds(17))
        #expect(StepPace(floor: .seconds(5)).limit(stateOf: 0) == StepPace.first)
    }
}
