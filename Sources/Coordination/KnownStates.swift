/// The hashes of the states after the newest steps, on which all workers agreed when they began the next step.
///
/// A recomputed step must begin with the same state as the first time. This detects a single wrong worker as well as
/// workers that are all wrong in the same way.
struct KnownStates: Sendable, Equatable {
    private struct State: Sendable, Equatable {
        let freeze: [String]
        let hash: UInt64
    }

    private var states: [Int: State] = [:]
    private var first = 0

    /// Records the hash of the state after `step`, with `freeze` not trained: a state has moments only for trained
    /// parameters.
    /// - Returns: false if another hash is known.
    mutating func take(_ hash: UInt64, after step: Int, freeze: [String]) -> Bool {
        let state = State(freeze: freeze, hash: hash)
        if let known = states[step], known.freeze == freeze { return known == state }
        states[step] = state
        return true
    }

    /// Forgets the states before `step`: no run reverts that far.
    mutating func forget(before step: Int) {
        guard step > first else { return }
        first = step
        states = states.filter { $0.key >= step }
    }

    mutating func forgetAll() { states = [:] }
}
