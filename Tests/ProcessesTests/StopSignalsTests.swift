import Testing

@testable import Processes

@Suite struct StopSignalsTests {
    @Test func `signals that come together are one request, and a later one ends the run`() {
        let start = ContinuousClock.now
        var signals = StopSignals()
        #expect(signals.receive(at: start + .seconds(1)) == .stop)
        #expect(signals.receive(at: start + .seconds(1)) == .repeated)
        #expect(signals.receive(at: start + .seconds(1) + StopSignals.burst - .nanoseconds(1)) == .repeated)
        #expect(signals.receive(at: start + .seconds(1) + StopSignals.burst) == .endAtOnce)
        #expect(signals.receive(at: start + .seconds(3)) == .endAtOnce)
    }
}
