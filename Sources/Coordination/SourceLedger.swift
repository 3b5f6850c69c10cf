internal import Learning
internal import Wording

/// Counts, from digests of the samples that workers actually computed, the source task's samples per pass.
///
/// The source's passes do not end at the same steps as the target's epochs. In each of them each sample counts once.
struct SourceLedger: Sendable {
    private let plan: TrainingPlan
    /// Pass that is being counted, from 1.
    private var pass = 1
    /// How often each sample of the pass was computed for the present state.
    private var times: [UInt8]
    /// Passes in which each sample was computed exactly once, of those that ended.
    private var whole = 0
    private var ended = 0
    /// Samples since the last report.
    private var computed = 0

    /// - Parameter step: earlier samples count as done.
    init?(_ plan: TrainingPlan, after step: Int) {
        guard let source = plan.source else { return nil }
        self.plan = plan
        times = [UInt8](repeating: 0, count: source.lengths.count)
        begin(step)
    }

    private mutating func begin(_ step: Int) {
        guard let source = plan.source else { return }
        let next = plan.sourceBatches(ofStep: step + 1).lowerBound
        pass = source.epoch(ofBatch: next)
        (whole, ended) = (pass - 1, pass - 1)
        computed = 0
        times = [UInt8](repeating: 0, count: source.lengths.count)
        for batch in ((pass - 1) * source.batchesPerEpoch)..<next {
            for sample in source.members(ofBatch: batch) { times[Int(sample)] = 1 }
        }
    }

    /// Recounts as of the state after `step`.
    mutating func goBack(to step: Int) { begin(step) }

    /// Counts a step whose lanes' digests match its plan.
    mutating func count(_ step: StepPlan) {
        guard let source = plan.source, let planned = step.source else { return }
        for (place, batch) in plan.sourceBatches(ofStep: step.step).enumerated() {
            if source.epoch(ofBatch: batch) != pass { endPass(source.epoch(ofBatch: batch)) }
            for lane in planned.lanes {
                for sample in lane[place] {
                    times[Int(sample.sample)] &+= 1
                    computed += 1
                }
            }
        }
    }

    private mutating func endPass(_ next: Int) {
        ended += 1
        if times.allSatisfy({ $0 == 1 }) { whole += 1 }
        pass = next
        times = [UInt8](repeating: 0, count: times.count)
    }

    /// The state of the source's samples since the last report, for the line about an epoch.
    mutating func report() -> String {
        defer { computed = 0 }
        let repeated = times.count { $0 > 1 }
        return "; source: \(counted(computed, "sample")) computed, pass \(pass) over \(times.count)"
            + (ended > 0 ? ", \(whole) of \(ended) passes before it whole" : "")
            + (repeated > 0 ? ", \(repeated) MORE THAN ONCE" : "")
    }
}
