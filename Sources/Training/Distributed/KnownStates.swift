/// What the states after the newest steps hash to, as all workers agreed when they began the step behind it.
///
/// A step that is computed again must begin with the same state as the first time: that holds for the same bits, and for
/// workers that are wrong together as well as for one that is wrong alone.
struct KnownStates: Sendable, Equatable {
    private struct State: Sendable, Equatable {
        let freeze: [String]
        let hash: UInt64
    }

    private var states: [Int: State] = [:]
    private var first = 0

    /// Takes the hash of the state after `step`, where `freeze` is not trained: a state has moments for what is trained alone.
    /// - Returns: false where another hash is known.
    mutating func take(_ hash: UInt64, after step: Int, freeze: [String]) -> Bool {
        let state = State(freeze: freeze, hash: hash)
        if let known = states[step], known.freeze == freeze { return known == state }
        states[step] = state
        return true
    }

    /// Forgets the states before `step`: nobody goes back that far.
    mutating func forget(before step: Int) {
        guard step > first else { return }
        first = step
        states = states.filter { $0.key >= step }
    }

    mutating func forgetAll() { states = [:] }
}
