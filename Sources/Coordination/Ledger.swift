internal import Learning
internal import Runs
internal import Synchronization
internal import TextData
internal import Wording

/// Counts, from digests of the samples that workers actually computed, which samples of an epoch are done.
final class Ledger: Sendable {
    private let plan: TrainingPlan
    private let counts: Mutex<Counts>

    private struct Counts {
        var epoch = 0
        /// How often each sample of the epoch was computed for the present state.
        var times: [UInt8] = []
        /// Of these, how many were done when this process began.
        var before = 0
        /// Computed for a lost state or step.
        var redone = 0
        var source: SourceLedger?
    }

    /// - Parameter step: earlier samples count as done.
    init(_ plan: TrainingPlan, after step: Int) {
        self.plan = plan
        counts = Mutex(Counts())
        counts.withLock { counts in
            counts.source = SourceLedger(plan, after: step)
            begin(step, &counts)
            counts.before = counts.times.count { $0 > 0 }
        }
    }

    /// Counts a journal's entries: a step by the digests of the samples that its lanes actually computed.
    /// - Throws: ``RunError`` if they differ from the plan.
    convenience init(_ plan: TrainingPlan, _ history: JournalHistory) throws {
        self.init(plan, after: history.base)
        var order: (epoch: Int, order: EpochPlan)?
        func planned(_ step: Int) -> StepPlan {
            let epoch = plan.epoch(ofStep: step)
            if order?.epoch != epoch { order = (epoch, plan.order(ofEpoch: epoch)) }
            return plan.step(step, order: order?.order ?? plan.order(ofEpoch: epoch))
        }
        var place = history.base
        for entry in history.entries {
            switch entry {
            case .run, .generation, .formed, .renamed, .progress: continue
            case .counted(let from, let through):
                for step in from...max(from, through) { count(planned(step), redone: false) }
                place = through
            case .moved(let step):
                goBack(to: step)
                place = step
            case .committed(let done) where done.step == place: continue
            case .committed(let done):
                let step = planned(done.step)
                guard done.plan == step.digest, done.lanes == step.laneDigests else {
                    throw RunError(
                        "the journal's step \(done.step) has other samples than this run's: start a new run, or "
                            + "restore its data"
                    )
                }
                count(step, redone: done.redone)
                place = done.step
            }
        }
    }

    /// Recounts as of the state after `step`; later steps will be recomputed.
    func goBack(to step: Int) {
        counts.withLock { counts in
            begin(step, &counts)
            counts.source?.goBack(to: step)
        }
    }

    private func begin(_ step: Int, _ counts: inout Counts) {
        let epoch = plan.epoch(ofStep: step + 1)
        if epoch != counts.epoch { counts.before = 0 }
        counts.epoch = epoch
        counts.times = [UInt8](repeating: 0, count: plan.lengths.count)
        let done = step - (epoch - 1) * plan.stepsPerEpoch
        for sample in plan.order(ofEpoch: epoch).order.prefix(done * plan.accumulate * plan.batchSize) {
            counts.times[Int(sample)] = 1
        }
    }

    /// Counts a step whose lanes' digests match its plan.
    func count(_ step: StepPlan, redone: Bool) {
        counts.withLock { counts in
            if counts.epoch != step.epoch {
                counts = Counts(
                    epoch: step.epoch, times: [UInt8](repeating: 0, count: plan.lengths.count), source: counts.source)
            }
            for sample in step.lanes.joined().joined() { counts.times[Int(sample.sample)] &+= 1 }
            counts.source?.count(step)
            if redone { counts.redone += step.sampleCount + (step.source?.sampleCount ?? 0) }
        }
    }

    /// The state of the newest epoch's samples so far.
    var account: SampleAccount {
        counts.withLock { counts in
            let (done, repeated) = (counts.times.count { $0 > 0 }, counts.times.count { $0 > 1 })
            let whole = done == counts.times.count && repeated == 0
            let text =
                "\(done) of \(counts.times.count) samples computed\(whole ? ", each exactly once" : "")"
                + (repeated > 0 ? ", \(repeated) MORE THAN ONCE" : "")
                + (counts.before > 0 ? ", \(counts.before) of them before this process began" : "")
                + (counts.redone > 0 ? ", \(counts.redone) redone after losses" : "") + (counts.source?.report() ?? "")
            return SampleAccount(text: text, isUnusual: !whole || counts.redone > 0)
        }
    }
}
