internal import BERT
internal import Checkpoints
internal import Tensors

extension RunInputs {
    /// The state that a running run can go back to: its newest whole checkpoint, or the one it began with.
    ///
    /// - Parameter beganAt: the step after which this process took the run up.
    /// - Throws: ``RunError`` where there is neither.
    func newestState(beganAt: Int) throws -> (state: TrainingState, step: Int) {
        let store = CheckpointStore(folder: configuration.output + "/checkpoints")
        if let found = store.newestWhole().found {
            let model = try model(ofStep: StateFiles.record(found.path).progress.step)
            let replica = Replica(model: model, parameters: FloatBuffer(count: model.layout.count), threads: configuration.threads)
            let record = try StateFiles.read(found.path, into: replica)
            return (replica.state, record.progress.step)
        }
        guard beganAt == 0 else {
            throw RunError("\(store.folder) has no whole checkpoint left, and no worker has the state: start the run anew")
        }
        return (Replica(model: model, parameters: parameters, threads: configuration.threads).state, 0)
    }
}
