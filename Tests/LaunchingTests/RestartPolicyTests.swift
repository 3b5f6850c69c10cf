import Testing

@testable import Launching

@Suite struct RestartPolicyTests {
    private let start = ContinuousClock.now

    @Test func `a process that keeps dying is started again with a growing pause, then given up`() {
        var policy = RestartPolicy(limit: 3)
        let decisions = (0..<4).map { policy.died(at: start + .seconds($0)) }
        #expect(
            decisions == [
                .restart(after: .zero), .restart(after: .seconds(1)), .restart(after: .seconds(2)),
                .giveUp(restarts: 3),
            ])
    }

    @Test func `rare deaths are made good for ever, each at once`() {
        var policy = RestartPolicy(limit: 1)
        for death in 0..<100 { #expect(policy.died(at: start + .seconds(600 * death)) == .restart(after: .zero)) }
    }

    @Test func `what is older than ten minutes counts no longer`() {
        var policy = RestartPolicy(limit: 2)
        _ = policy.died(at: start)
        _ = policy.died(at: start + .seconds(300))
        #expect(policy.died(at: start + .seconds(599)) == .giveUp(restarts: 2))
        #expect(policy.died(at: start + .seconds(600)) == .restart(after: .seconds(1)))
        #expect(policy.died(at: start + .seconds(899)) == .giveUp(restarts: 2))
        #expect(policy.died(at: start + .seconds(900)) == .restart(after: .seconds(1)))
    }

    @Test func `the pause ends growing at 32 seconds, and a limit of 0 starts nothing`() {
        var policy = RestartPolicy(limit: 20)
        let pauses = (0..<10).map { _ in policy.died(at: start) }
        #expect(pauses.last == .restart(after: .seconds(32)))
        var none = RestartPolicy(limit: 0)
        #expect(none.died(at: start) == .giveUp(restarts: 0))
    }
}
