internal import BERT
internal import Checkpoints
internal import Configuration
package import Learning
internal import Tensors
internal import Wording

extension RunInputs {
    /// The state that a running run can revert to: its newest complete checkpoint, or its initial state.
    ///
    /// - Parameter beganAt: the step at which this process began or resumed the run.
    /// - Throws: ``RunError`` if there is neither.
    package func newestState(beganAt: Int) throws -> (state: TrainingState, step: Int) {
        let store = CheckpointStore(folder: configuration.output + "/checkpoints")
        if let found = store.newestWhole().found {
            let model = try model(ofStep: StateFiles.record(found.path).progress.step)
            let replica = Replica(
                model: model, parameters: FloatBuffer(count: model.layout.count), threads: configuration.threads)
            let record = try StateFiles.read(found.path, into: replica)
            return (replica.state, record.progress.step)
        }
        guard beganAt == 0 else {
            throw RunError(
                "\(store.folder) has no complete checkpoint left, and no worker has the state: start the run again")
        }
        return (Replica(model: model, parameters: parameters, threads: configuration.threads).state, 0)
    }
}
