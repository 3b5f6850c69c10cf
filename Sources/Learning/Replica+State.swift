extension Replica {
    /// The state for a checkpoint; its buffers are the replica's own.
    package var state: TrainingState {
        TrainingState(parameters: parameters, first: first, second: second, touched: touched)
    }
}
