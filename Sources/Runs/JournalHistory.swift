package import Files

/// The history of a run, read from its journal.
package struct JournalHistory: Sendable, Equatable {
    package private(set) var run: UInt64
    /// The run's inputs; nil in a journal of an older build.
    package var identity: RunIdentity?
    /// The format of a journal that this build does not read, see ``JournalEntry/format``.
    package private(set) var unreadableFormat: Int?
    /// Step up to which a checkpoint held the run when the journal was restarted.
    package private(set) var base: Int
    /// Newest generation.
    package private(set) var generation: UInt32 = 0
    /// Step of the run's state.
    package private(set) var step: Int
    /// Newest step that was ever committed.
    package private(set) var reached: Int
    package private(set) var newest: CommittedStep?
    package private(set) var progress: RunProgress?
    /// The initial state of the newest generation.
    package private(set) var formed: JournalEntry?
    /// Entries from the base on, without obsolete ones.
    package private(set) var entries: [JournalEntry] = []
    /// Bytes at the file's end that are not a complete entry.
    package private(set) var droppedBytes = 0
    /// Complete entries that this build does not know.
    package private(set) var unknownCount = 0

    /// - Returns: nil if the first entry names no run.
    package init?(_ entries: some Sequence<JournalEntry>) {
        var all = entries.makeIterator()
        guard case .run(let id, let after, let identity, let format) = all.next() else { return nil }
        (run, base, step, reached) = (id, after, after, after)
        self.identity = identity
        unreadableFormat = format.flatMap { (1...JournalEntry.format).contains($0) ? nil : $0 }
        while let entry = all.next() { add(entry) }
    }

    /// - Returns: nil if there is no journal, or none that names a run.
    package init?(file: String) throws(FileError) {
        let (records, dropped) = try RecordLog.read(file)
        let known = records.compactMap(JournalEntry.init)
        self.init(known)
        droppedBytes = dropped
        unknownCount = records.count - known.count
    }

    package mutating func add(_ entry: JournalEntry) {
        switch entry {
        case .run: return
        case .generation(let number): generation = max(generation, number)
        case .formed: formed = entry
        case .committed(let committed):
            newest = committed
            step = committed.step
        case .counted(_, let last): step = last
        case .moved(let to): step = to
        case .renamed(let id): run = id
        case .progress(let found): progress = found
        }
        reached = max(reached, step)
        entries.append(entry)
    }

    /// The same run starting from a checkpoint after the present step.
    package mutating func restart(from progress: RunProgress) {
        base = step
        let kept = newest
        entries = []
        newest = nil
        add(.generation(generation))
        if let formed { add(formed) }
        if let kept, kept.step == step { add(.committed(kept)) }
        add(.progress(progress))
    }

    /// The same with its committed steps as a range, except the newest.
    package mutating func shorten() {
        let (present, last) = (step, reached)
        let (kept, progress) = (newest, progress)
        entries = []
        newest = nil
        add(.generation(generation))
        if let formed { add(formed) }
        if last > base { add(.counted(from: base + 1, through: last)) }
        if present != max(last, base) { add(.moved(to: present)) }
        if let kept, kept.step == present { add(.committed(kept)) }
        if let progress { add(.progress(progress)) }
    }

    /// Everything, as a new journal has it.
    package var all: [JournalEntry] {
        [.run(id: run, after: base, identity: identity, format: JournalEntry.format)] + entries
    }
}
