import Testing

@testable import Chaos

/// What a disturbed run must be like to count as well.
@Suite struct ChaosOutcomeTests {
    private static let line = "epoch 1: 160 of 160 samples computed, each exactly once"
    private let undisturbed = ChaosOutcome(
        status: 0, digest: "a1", steps: [1, 2, 3], ledger: [line], leftovers: [], seconds: 2)

    @Test func `a run like the undisturbed one is well, redone samples or not`() {
        var run = undisturbed
        run.ledger = [Self.line + ", 24 redone after losses"]
        #expect(run.complaints(against: undisturbed).isEmpty)
        #expect(run.redone == 24)
    }

    @Test func `other bits, a failure, a hang, steps twice, samples twice and leftovers are complaints`() {
        func complaint(_ change: (inout ChaosOutcome) -> Void) -> String {
            var run = undisturbed
            change(&run)
            return run.complaints(against: undisturbed).joined(separator: "; ")
        }
        #expect(complaint { $0.digest = "b2" } == "OTHER BITS: b2, undisturbed a1")
        #expect(complaint { $0.digest = "" }.hasPrefix("OTHER BITS: no weights"))
        #expect(complaint { $0.status = 1 } == "FAILED with exit status 1")
        #expect(complaint { $0.status = nil } == "HANGS: it did not end in time")
        #expect(complaint { $0.steps = [1, 2, 2, 3] }.hasPrefix("STEPS: the metrics have 4 steps"))
        #expect(
            complaint { $0.ledger = ["epoch 1: 160 of 160 samples computed, 3 MORE THAN ONCE"] }.hasPrefix(
                "LEDGER: epoch 1"))
        #expect(complaint { $0.ledger = [] }.hasPrefix("LEDGER: it has no line"))
        #expect(complaint { $0.leftovers = ["process 7: apus work"] } == "LEFT: process 7: apus work")
    }

    @Test func `the tally counts runs, deeds and failures, and the median of the seconds lost`() {
        var tally = ChaosTally()
        var run = undisturbed
        run.deeds = ["killed a worker at step 3", "killed the coordinator at step 4"]
        for lost in [3.0, 1, 2] { tally.add(run, isWell: true, lost: lost) }
        #expect(tally.failed == 0)
        tally.add(run, isWell: false, lost: 100)
        let line = tally.line(digest: "a1")
        #expect(line.hasPrefix("4 runs, 8 faults: 3 ended with the SHA-256 of the undisturbed run, a1"), "\(line)")
        #expect(line.contains("1 DID NOT") && line.hasSuffix("median 2.0, most 3.0"), "\(line)")
    }
}
