package import Runs

/// Where a run is: the step of its state, how far it ever was, and the commit that workers still have to make.
///
/// Its transitions return the entry for the run's journal, which is written before any worker is told. Between them:
///
/// - `committed` ≤ `reached`; they differ while lost steps are recomputed.
/// - A pending commit is that of `committed`.
/// - No commit is of a later step than `reached`.
package struct RunPosition: Sendable, Equatable {
    /// Step of the workers' state, or of the coordinator's own if no worker has one.
    package private(set) var committed: Int
    /// Newest step that was ever committed.
    package private(set) var reached: Int
    /// Whether the workers of the generation must still be told of the last commit.
    private var isPending = false
    /// The last commit; of another step than `committed` once the state has moved.
    private var last: Commit?
    /// The commit of the newest step whose commit is known.
    private var newest: Commit?
    private var reversion: Reversion?

    /// The state was reverted to a checkpoint, which may be an older one than the journal's if that cannot be read.
    private struct Reversion: Equatable {
        /// The journal's base then.
        let base: Int
        let step: Int
    }

    /// The position that a journal describes.
    package init(_ history: JournalHistory) {
        (committed, reached) = (history.step, history.reached)
        newest = history.newest?.commit
        last = newest.flatMap { $0.step == committed ? $0 : nil }
        check()
    }

    private func check() {
        precondition(0 <= committed && committed <= reached, "step \(committed) of \(reached) reached")
        precondition(!isPending || last?.step == committed, "a pending commit that is not of step \(committed)")
        precondition(
            max(last?.step ?? 0, newest?.step ?? 0) <= reached, "a commit of a later step than \(reached)")
    }

    // MARK: What is known

    /// The commit of `committed`, if it is known.
    package var commit: Commit? { last.flatMap { $0.step == committed ? $0 : nil } }

    /// The commit that the next call must tell the workers of.
    package var pendingCommit: Commit? { isPending ? last : nil }

    /// The commit of `reached`, if it is known.
    package var newestCommit: Commit? { newest.flatMap { $0.step == reached ? $0 : nil } }

    /// All commits that workers with an older state and a kept gradient may be told of.
    package var knownCommits: [Commit] { [last, newest].compactMap { $0 } }

    /// States before this step cannot be used.
    /// - Parameter base: the step of the checkpoint with which the journal begins.
    package func floor(base: Int) -> Int {
        if let reversion, reversion.base == base { reversion.step } else { base }
    }

    // MARK: Transitions

    /// Commits the next step: all workers have computed the same. None of them knows yet.
    package mutating func commit(_ done: CommittedStep) -> JournalEntry {
        precondition(done.step == committed + 1, "step \(done.step) is committed after step \(committed)")
        precondition(!isPending, "step \(done.step) is committed before the workers know of step \(committed)")
        committed = done.step
        last = done.commit
        if committed >= reached { newest = last }
        reached = max(reached, committed)
        isPending = true
        check()
        return .committed(done)
    }

    /// Every worker of the generation has made the last commit.
    package mutating func tellAll() { isPending = false }

    /// The state is that of another step: a worker has a newer one, or all workers with the last one are lost.
    package mutating func move(to step: Int) -> JournalEntry {
        committed = step
        reached = max(reached, step)
        isPending = false
        check()
        return .moved(to: step)
    }

    /// The state is that of a checkpoint, or the initial one: no worker has it any more.
    /// - Parameter base: the step of the checkpoint with which the journal begins.
    package mutating func revert(to step: Int, base: Int) -> JournalEntry {
        reversion = Reversion(base: base, step: step)
        return move(to: step)
    }

    /// A generation was formed: all its workers have the state after `committed`.
    /// - Parameter found: the commit of that step, if a worker knew it.
    package mutating func form(knowing found: Commit?) {
        precondition(found.map { $0.step == committed } ?? true, "a commit that is not of step \(committed)")
        isPending = false
        last = found ?? commit
        if committed == reached { newest = last ?? newest }
        check()
    }
}
