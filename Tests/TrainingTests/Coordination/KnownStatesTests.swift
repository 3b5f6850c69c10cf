import Testing

@testable import Coordination

@Suite struct KnownStatesTests {
    private func take(_ hash: UInt64, after step: Int, freeze: [String], _ states: inout KnownStates) -> Bool {
        states.take(hash, after: step, freeze: freeze)
    }

    @Test func `a step must begin with the state with which it began before`() {
        var states = KnownStates()
        for step in 0...5 { #expect(take(UInt64(100 + step), after: step, freeze: [], &states)) }
        for step in 0...5 {
            #expect(take(UInt64(100 + step), after: step, freeze: [], &states))
            #expect(
                !take(UInt64(101 + step), after: step, freeze: [], &states),
                "the state after \(step + 1) under the name \(step)")
        }
    }

    @Test func `another stage has another state after the same step`() {
        var states = KnownStates()
        #expect(take(1, after: 3, freeze: ["encoder"], &states))
        #expect(take(2, after: 3, freeze: [], &states))
        #expect(!take(1, after: 3, freeze: [], &states))
    }

    @Test func `states before a checkpoint are forgotten, later ones are not`() {
        var states = KnownStates()
        for step in 0...5 { #expect(take(UInt64(step), after: step, freeze: [], &states)) }
        states.forget(before: 3)
        #expect(take(9, after: 2, freeze: [], &states))
        #expect(!take(9, after: 3, freeze: [], &states))
        states.forgetAll()
        #expect(take(9, after: 3, freeze: [], &states))
    }
}
