package import Runs

/// The start of a new generation: the newest step whose state any worker has or can reach, and how each worker reaches
/// it.
///
/// A committed step is never abandoned while a worker has its state, or has the state before it together with its
/// gradient.
package struct GenerationStart: Sendable, Equatable {
    /// How a worker comes to the state with which the generation begins.
    package enum Way: Sendable, Equatable {
        case has
        /// Makes the update of a step whose gradient it kept.
        case applies(Commit)
        /// Receives the state from a donor.
        case receives
    }

    /// The step of all workers' state then.
    package let step: Int
    /// One for each worker.
    package let ways: [Way]
    /// The commit of that step, if it is known.
    package let commit: Commit?

    /// - Parameters:
    ///   - held: what each worker has.
    ///   - commits: the commits that the coordinator knows, from its journal or its memory.
    ///   - floor: step of a checkpoint; older states cannot be used.
    ///   - last: states after a later step cannot be used: the run ends with this one, or the coordinator does not know
    ///     later ones.
    /// - Returns: nil if no worker has or can reach a state of the run that is as new as the checkpoint's.
    package init?(_ held: [HeldState], run: UInt64, known commits: [Commit], floor: Int, last: Int = Int(Int32.max)) {
        let own = held.map { $0.run == run ? $0 : HeldState() }
        // A coordinator whose host failed may have lost its last writes; a worker that made the update knows its
        // commit.
        let known = commits + own.compactMap(\.commit)
        func reachable(_ state: HeldState) -> (step: Int, way: Way)? {
            guard let step = state.committedStep, (0...last).contains(step) else { return nil }
            if step < last, state.keptStep == step + 1, let commit = known.first(where: { $0.step == step + 1 }) {
                return (step + 1, .applies(commit))
            }
            return (step, .has)
        }
        let reached = own.map(reachable)
        guard let best = reached.compactMap({ $0?.step }).max(), best >= floor else { return nil }
        step = best
        commit = known.first { $0.step == best }
        ways = zip(own, reached).map { state, reached in
            if state.committedStep == best { return .has }
            guard let reached, reached.step == best else { return .receives }
            return reached.way
        }
    }

    /// All workers receive the coordinator's own state.
    package init(step: Int, workers: Int) {
        self.step = step
        ways = Array(repeating: .receives, count: workers)
        commit = nil
    }

    /// For each worker the rank that sends it the state, the coordinator's being the number of workers; nil if none is
    /// needed.
    package var donors: [Int?] {
        let owners = ways.indices.filter { ways[$0] != .receives }
        var place = 0
        return ways.map { way in
            guard way == .receives else { return nil }
            defer { place += 1 }
            return owners.isEmpty ? ways.count : owners[place % owners.count]
        }
    }
}
