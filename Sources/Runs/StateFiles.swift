internal import BERT
package import Checkpoints
package import Files
internal import Foundation
package import Learning
package import Tensors

/// The files of one run checkpoint: weights, both moments, and everything else as JSON.
package enum StateFiles {
    /// `state.json` of a checkpoint.
    package struct Record: Codable, Sendable {
        package var version = 1
        package var progress: RunProgress
        package var lanes: Int
        package var seed: UInt64
        /// SHA-256 of each data file.
        package var data: [String: String]
        /// The run's inputs; nil: written by an older build.
        package var run: RunIdentity?
        /// Rows of the word table that were ever touched, one bit per row.
        package var touched: [UInt64]
        /// The arithmetic that computed it, see ``Kernels/Arithmetic/description``.
        package var arithmetic: String

        package init(
            progress: RunProgress, lanes: Int, seed: UInt64, run: RunIdentity, touched: [UInt64], arithmetic: String
        ) {
            self.progress = progress
            self.lanes = lanes
            self.seed = seed
            data = run.data
            self.run = run
            self.touched = touched
            self.arithmetic = arithmetic
        }

        /// The run's inputs, as far as the checkpoint records them.
        package var identity: RunIdentity { run ?? RunIdentity(data: data) }
    }

    /// All weights by their Hugging Face names, or those that `isWanted`.
    package static func tensors(
        _ parameters: FloatBuffer, _ layout: ParameterLayout, where isWanted: (String) -> Bool = { _ in true }
    ) -> [SafetensorsWriter.Tensor] {
        layout.entries.filter { isWanted($0.name) }.map { entry in
            SafetensorsWriter.Tensor(entry.name, entry.shape) { parameters.view[entry.range].withSpan($0) }
        }
    }

    /// Optimizer state of every trained parameter, named as torch.optim names it.
    private static func moments(_ state: TrainingState, _ layout: ParameterLayout) -> [SafetensorsWriter.Tensor] {
        [("exp_avg", state.first), ("exp_avg_sq", state.second)].flatMap { kind, buffer in
            layout.entries.compactMap { entry in
                entry.gradientOffset.map { offset in
                    SafetensorsWriter.Tensor("\(kind).\(entry.name)", entry.shape) { body in
                        buffer.view.part(from: offset, count: entry.count).withSpan(body)
                    }
                }
            }
        }
    }

    /// Writes the files of a checkpoint into a folder.
    package static func write(
        _ state: TrainingState, _ record: Record, layout: ParameterLayout, to folder: String, steps: any FileSteps
    ) throws(FileError) {
        try SafetensorsWriter.write(tensors(state.parameters, layout), to: folder + "/model.safetensors", steps: steps)
        try SafetensorsWriter.write(moments(state, layout), to: folder + "/optimizer.safetensors", steps: steps)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        encoder.takesAllNumbers()
        guard let json = try? encoder.encode(record) else { throw FileError(folder, "its state has no JSON form") }
        try FileSystem.replace(folder + "/state.json", with: Array(json), steps: steps)
    }

    /// What a checkpoint says about its run.
    package static func record(_ folder: String) throws(FileError) -> Record {
        let path = folder + "/state.json"
        let bytes = try FileSystem.read(path)
        guard let record = try? JSONDecoder.ofAllNumbers().decode(Record.self, from: Data(bytes)), record.version == 1
        else {
            throw FileError(path, "is not a state of version 1: was it written by another version of Apus?")
        }
        return record
    }

    static let otherTable =
        "its touched rows belong to another word table: remove this checkpoint to resume from the one before it"

    /// Reads a checkpoint into a replica of the same model.
    package static func read(_ folder: String, into replica: Replica) throws(FileError) -> Record {
        let record = try record(folder)
        let layout = replica.model.layout
        let weights = try SafetensorsFile(folder + "/model.safetensors")
        for entry in layout.entries { try copy(weights, entry.name, to: replica.parameters.view[entry.range]) }
        let moments = try SafetensorsFile(folder + "/optimizer.safetensors")
        for entry in layout.entries {
            guard let offset = entry.gradientOffset else { continue }
            try copy(moments, "exp_avg.\(entry.name)", to: replica.first.view.part(from: offset, count: entry.count))
            try copy(
                moments, "exp_avg_sq.\(entry.name)", to: replica.second.view.part(from: offset, count: entry.count))
        }
        guard let touched = TouchedRows(rows: replica.touched.rows, words: record.touched) else {
            throw FileError(folder + "/state.json", Self.otherTable)
        }
        replica.touched = touched
        return record
    }

    private static func copy(_ file: SafetensorsFile, _ name: String, to view: FloatView) throws(FileError) {
        var failure: FileError?
        view.withMutableSpan { values in
            do throws(FileError) { try file.readFloats(name, into: &values) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}

extension RunInputs {
    /// The weights for a model folder, under Hugging Face's names: adapters are merged, a source task's head is left
    /// out.
    package func exportedTensors(_ parameters: FloatBuffer) -> [SafetensorsWriter.Tensor] {
        StateFiles.tensors(model.merged(parameters), model.layout) {
            !LoRA.isAdapter($0) && !BERTModel.isSourceHead($0)
        }
    }
}
