import Testing

@testable import Coordination
@testable import Learning

@Suite struct LedgerTests {
    /// Four steps an epoch, the last one short.
    private let plan = TrainingPlan(
        seed: 1, batchSize: 3, accumulate: 1, laneCount: 2, epochs: 2, maxSteps: nil,
        lengths: (0..<10).map { 5 + $0 % 3 })

    private func count(_ steps: ClosedRange<Int>, _ ledger: Ledger, redone: Bool = false) {
        for step in steps {
            ledger.count(plan.step(step, order: plan.order(ofEpoch: plan.epoch(ofStep: step))), redone: redone)
        }
    }

    @Test func `an epoch's samples are counted`() {
        let ledger = Ledger(plan, after: 0)
        count(1...4, ledger)
        #expect(ledger.account.text == "10 of 10 samples computed, each exactly once")
        count(5...8, ledger)
        #expect(ledger.account.text == "10 of 10 samples computed, each exactly once")
    }

    @Test func `a missing and a repeated sample show`() {
        let missing = Ledger(plan, after: 0)
        count(1...3, missing)
        #expect(missing.account.text == "9 of 10 samples computed")
        let repeated = Ledger(plan, after: 0)
        count(1...4, repeated)
        count(2...2, repeated)
        count(2...2, repeated)
        #expect(repeated.account.text == "10 of 10 samples computed, 3 MORE THAN ONCE")
    }

    @Test func `redone work is told apart from repeated work`() {
        let ledger = Ledger(plan, after: 0)
        count(1...3, ledger)
        count(4...4, ledger, redone: true)
        #expect(ledger.account.text == "10 of 10 samples computed, each exactly once, 1 redone after losses")
    }

    @Test func `going back counts the lost steps again, also into the epoch before`() {
        let ledger = Ledger(plan, after: 0)
        count(1...6, ledger)
        ledger.goBack(to: 2)
        count(3...4, ledger, redone: true)
        #expect(ledger.account.text == "10 of 10 samples computed, each exactly once, 4 redone after losses")
        count(5...8, ledger)
        #expect(ledger.account.text == "10 of 10 samples computed, each exactly once")
    }

    @Test func `a resumed run takes what came before as done`() {
        let ledger = Ledger(plan, after: 5)
        count(6...8, ledger)
        #expect(
            ledger.account.text == "10 of 10 samples computed, each exactly once, 3 of them before this process began")
    }
}
