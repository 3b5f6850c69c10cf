internal import Synchronization

/// Counts, from digests of what workers really computed, which samples of an epoch are done.
final class Ledger: Sendable {
    private struct Counts {
        var epoch = 0
        var computed: Set<Int32> = []
        var repeated = 0
        var redone = 0
    }

    private let counts = Mutex(Counts())

    /// Counts a step whose lanes' digests were those of its plan.
    func count(_ plan: StepPlan, redone: Bool) {
        counts.withLock { counts in
            if counts.epoch != plan.epoch { counts = Counts(epoch: plan.epoch) }
            for sample in plan.lanes.joined().joined() where !counts.computed.insert(sample.sample).inserted { counts.repeated += 1 }
            if redone { counts.redone += plan.sampleCount }
        }
    }

    /// What became of an epoch's samples, in one line.
    func endOfEpoch(_ epoch: Int, planned: Int) -> String {
        counts.withLock { counts in
            let once = counts.computed.count - counts.repeated
            let whole = once == planned && counts.repeated == 0
            return "epoch \(epoch): \(counts.computed.count) of \(planned) samples computed\(whole ? ", each exactly once" : "")"
                + (counts.repeated > 0 ? ", \(counts.repeated) MORE THAN ONCE" : "") + (counts.redone > 0 ? ", \(counts.redone) redone after losses" : "")
        }
    }
}
