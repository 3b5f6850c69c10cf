package import BERT
internal import Checkpoints
internal import Configuration
package import Files
package import Learning
internal import Tensors
package import TextData

/// A file with a model's scores on a split, for further analysis: safetensors, which many libraries read.
///
/// `logits` (R, C) float32; `samples` (R) the sample's row in its file, from 0; `labels`: (R) the class, or (R, C) the
/// numbers or flags; for token classification `tokens` (R), the token's index in the sample. Metadata: `split`, `step`,
/// `task`, `names` as a JSON list, `data_sha256` of the file, and `every`: the scores of every n-th chunk of 32 samples
/// are kept.
package enum PredictionsFile {
    /// The path in a run's folder.
    package static func path(inRun folder: String, _ split: Split, _ which: String) -> String {
        "\(folder)/predictions/\(split.rawValue)-\(which).safetensors"
    }

    /// - Throws: ``FileError``; an existing file is then unchanged.
    package static func write(
        _ scores: EvaluationScores, of dataset: TokenizedDataset, _ head: Head, names: [String]?, split: Split,
        step: Int?, digest: String?, to path: String
    ) throws(FileError) {
        let (answers, width) = (scores.answers, scores.plan.width)
        let logits = scores.logits
        var tensors = [
            SafetensorsWriter.Tensor("logits", [answers.count, width]) { use in logits.withSpan { use($0) } }
        ]
        func add(_ name: String, _ values: [Int]) { tensors.append(.init(name, integers: values.map(Int64.init))) }
        switch dataset.labels {
        case .classes(let classes):
            add("samples", answers)
            add("labels", answers.map { Int(classes[$0]) })
        case .values(let values, let width):
            add("samples", answers)
            let kept = answers.flatMap { values[($0 * width)..<(($0 + 1) * width)] }
            tensors.append(.init("labels", [answers.count, width]) { use in use(kept.span) })
        case .tokens(let labels):
            var samples = [Int](repeating: 0, count: labels.classes.count)
            for sample in 0..<dataset.count { for answer in labels.range(of: sample) { samples[answer] = sample } }
            add("samples", answers.map { samples[$0] })
            add("tokens", answers.map { Int(labels.tokens[$0]) })
            add("labels", answers.map { Int(labels.classes[$0]) })
        case .none, .masked: break
        }
        var metadata = [
            ("split", split.rawValue), ("task", TaskData.Task(head).rawValue), ("every", String(scores.plan.every)),
        ]
        if let step { metadata.append(("step", String(step))) }
        if let digest { metadata.append(("data_sha256", digest)) }
        if let names { metadata.append(("names", JSONValue.array(names.map { .string($0) }).line)) }
        let partial = path + ".partial"
        try FileSystem.makeFolder(FileSystem.parent(path))
        try SafetensorsWriter.write(tensors, metadata: metadata, to: partial)
        try FileSystem.rename(partial, to: path)
    }
}
