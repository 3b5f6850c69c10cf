internal import BERT
internal import Checkpoints
internal import Configuration
internal import Files
internal import Kernels
internal import Learning
internal import Tensors
internal import Wording

/// The point at which a run resumes, found in its folder and compared with the run's present inputs. Writes nothing.
struct ResumptionPoint {
    /// The newest complete checkpoint; nil: none.
    let found: CheckpointStore.Found?
    /// A coordinator's journal with steps beyond that checkpoint; nil if it has none, or the run cannot resume from
    /// them.
    let history: JournalHistory?
    let progress: RunProgress
    /// Notes for the user before the first step, one line each.
    let notes: [String]
    /// Whether the run has ended without keeping a checkpoint.
    let isFinished: Bool

    /// Step of the checkpoint; 0 for none.
    var savedStep: Int { found?.step ?? 0 }

    /// - Parameter hasWorkers: whether workers of the run before may have states beyond the newest checkpoint. A single
    ///   process resumes from that checkpoint, even if the journal has later steps.
    /// - Throws: ``BadInput`` if checkpoint and journal belong to a run with other inputs, or to a longer run than
    ///   requested.
    init(_ inputs: RunInputs, hasWorkers: Bool) throws {
        let output = inputs.configuration.output
        let (found, passedOver) = CheckpointStore(folder: output + "/checkpoints").newestWhole()
        self.found = found
        let record = try found.map { try Self.record($0, inputs) }
        var notes = passedOver.map { "passed over \($0.name): \($0.reason)" }
        let path = RunJournal.path(inRun: output)
        let journal = try JournalHistory(file: path)
        if let identity = journal?.identity { try inputs.check(identity, in: path) }
        let saved = try SavedConfiguration.read(inRun: output, cores: 1)
        let (perEpoch, now) = (inputs.plan.stepsPerEpoch, inputs.plan.totalSteps)
        let planned =
            saved.map { TrainingPlan.totalSteps($0.epochs, stepsPerEpoch: perEpoch, maxSteps: $0.maxSteps) } ?? now
        if found == nil, passedOver.isEmpty, let finished = try Self.finished(inputs, planned: planned) {
            (history, progress, self.notes, isFinished) = (nil, finished, [], true)
            return
        }
        isFinished = false
        history = hasWorkers ? Self.history(journal, record, plannedSteps: planned, inputs, &notes) : nil
        var progress = record?.progress ?? RunProgress()
        progress.departure = record.flatMap {
            Self.departure($0.progress, $0.identity, $0.arithmetic, plannedSteps: planned, inputs)
        }
        if let history {
            let before = progress.departure
            progress = history.progress ?? progress
            progress.step = history.reached
            progress.departure =
                before
                ?? Self.departure(
                    progress, history.identity, history.identity?.arithmetic, plannedSteps: planned, inputs)
            if history.droppedBytes > 0 {
                notes.append(
                    "dropped an incomplete entry of \(counted(history.droppedBytes, "byte")) at the journal's end")
            }
        } else if found == nil {
            notes.append("\(output) has no complete checkpoint: starting from step 1")
        }
        self.progress = progress
        self.notes = notes
    }

    /// Where a finished run without checkpoints ended, by its summary; nil if the run is not finished.
    /// - Throws: ``InputError`` if more steps are requested.
    private static func finished(_ inputs: RunInputs, planned: Int) throws -> RunProgress? {
        let output = inputs.configuration.output
        guard let summary = try? JSONValue(parsing: FileSystem.read(output + "/summary.json")),
            let steps = summary["steps"]?.integer
        else { return nil }
        var progress = RunProgress()
        progress.step = steps
        if summary["stopped_early"]?.bool == true { progress.stoppedEarly = true }
        if let problem = progress.problem(in: inputs.plan) {
            throw FileError(
                output + "/summary.json", "is impossible: \(problem): start a new run in another folder")
        }
        guard inputs.plan.totalSteps <= max(steps, progress.stoppedEarly == true ? planned : 0) else {
            throw InputError(
                "the run in \(output) ended after step \(steps) and kept no checkpoint (--keep 0), so that it cannot "
                    + "be made longer: start a new run, with --model \(output)/model to begin with its weights")
        }
        return progress
    }

    /// Whether the best model of a history is on the disk, or is the state after its last step.
    private static func hasBest(_ history: JournalHistory) -> Bool {
        guard let best = history.progress?.bestStep else { return true }
        return best == history.progress?.keptBestStep || best == history.reached
    }

    /// The record of a checkpoint that this run can resume from.
    private static func record(_ found: CheckpointStore.Found, _ inputs: RunInputs) throws -> StateFiles.Record {
        let record = try StateFiles.record(found.path)
        guard record.lanes == inputs.plan.laneCount, record.seed == inputs.configuration.seed else {
            throw InputError(
                "\(found.path) has \(counted(record.lanes, "lane")) and seed \(record.seed), config.yaml "
                    + "\(inputs.plan.laneCount) and \(inputs.configuration.seed): the two do not belong together")
        }
        guard record.arithmetic == Arithmetic.description else {
            throw InputError(
                "\(found.path) was computed with \(record.arithmetic), this is \(Arithmetic.description): the bits "
                    + "would change on the way; resume with the build and library that began the run, or start a new "
                    + "run")
        }
        try inputs.check(record.identity, in: found.path + "/state.json")
        let problem =
            record.progress.problem(in: inputs.plan)
            ?? (record.progress.step == found.step ? nil : "it is after step \(record.progress.step)")
        if let problem {
            throw FileError(
                found.path + "/state.json",
                "is impossible: \(problem): remove this checkpoint to resume from the one before it")
        }
        let table = try inputs.model(ofStep: found.step).layout.sparseTable
        guard TouchedRows(rows: table?.shape[0] ?? 0, words: record.touched) != nil else {
            throw FileError(found.path + "/state.json", StateFiles.otherTable)
        }
        guard found.step <= inputs.plan.totalSteps else {
            throw InputError(
                "the run in \(inputs.configuration.output) is already after step \(found.step), --epochs and "
                    + "--max-steps end it at step \(inputs.plan.totalSteps): give it at least "
                    + "\(counted(found.step, "step")), or start a new run in another folder"
            )
        }
        return record
    }

    /// The journal's history, if it has more than the checkpoint, and only steps that this run would compute with the
    /// same bits.
    private static func history(
        _ journal: JournalHistory?, _ record: StateFiles.Record?, plannedSteps: Int, _ inputs: RunInputs,
        _ notes: inout [String]
    ) -> JournalHistory? {
        guard let journal else { return nil }
        if let problem = journal.problem(in: inputs.plan) {
            notes.append("passed over the journal: \(problem)")
            return nil
        }
        // Before the first generation nothing has been computed.
        guard journal.generation > 0, journal.reached >= record?.progress.step ?? 0, hasBest(journal) else {
            return nil
        }
        guard !inputs.dependsOnLength || (journal.identity?.plannedSteps ?? plannedSteps) == inputs.plan.totalSteps
        else { return nil }
        return journal
    }

    /// Why a run with these options from the start would not reach a state's bits; nil if it would.
    private static func departure(
        _ progress: RunProgress, _ identity: RunIdentity?, _ arithmetic: String?, plannedSteps: Int, _ inputs: RunInputs
    ) -> String? {
        if let departure = progress.departure { return departure }
        guard progress.step > 0 else { return nil }
        let steps = progress.step == 1 ? "the first step" : "the first \(progress.step) steps"
        let planned = identity?.plannedSteps ?? plannedSteps
        if planned != inputs.plan.totalSteps {
            if inputs.dependsOnLength {
                return "\(steps) followed the schedule of a run of \(counted(planned, "step"))"
            }
            // The last step is scored, wherever in an epoch it is, and patience counts that.
            if inputs.configuration.patience != nil, progress.evaluatedStep == planned,
                planned % inputs.plan.stepsPerEpoch != 0
            {
                return "step \(planned) was scored as the last one, which --patience counts"
            }
        }
        let now = Arithmetic.description
        if let arithmetic, arithmetic != now {
            return "\(steps) were computed with \(arithmetic), the others with \(now)"
        }
        return nil
    }
}

extension RunInputs {
    /// Whether a step's result depends on the run's length: by a falling rate, a share of warm-up or a changing lambda.
    var dependsOnLength: Bool { configuration.dependsOnTotalSteps }
}
