import Foundation
import Testing

/// Data of every kind of task for the small model.
enum TaskJob: String, CaseIterable, CustomTestStringConvertible {
    case mean, regression, targets, multiLabel, words, masked, weighted, joint, jointShared, jointMasked,
        jointRegression

    var testDescription: String { rawValue }

    /// Writes the data; the options that train on it.
    func options(_ job: SmallJob) throws -> [String] {
        let rows = SmallText.samples(rows: 26, labels: ["0", "1", "2"], seed: 4)
        func table(_ name: String, _ header: String, _ row: (Int, String, Int) -> String) throws -> [String] {
            let text = header + "\n" + rows.enumerated().map { row($0, $1.text, Int($1.label) ?? 0) + "\n" }.joined()
            try job.write(name, text)
            return ["--train", job.path(name)]
        }
        func source() throws -> [String] {
            let sentences = SmallText.samples(rows: 9, labels: ["no", "yes"], seed: 9)
            try job.write(
                "source.tsv",
                "sentence\tlabel\tscore\n"
                    + sentences.enumerated().map { "\($1.text)\t\($1.label)\t\(Double($0) / 3)\n" }.joined())
            return [
                "--source-train", job.path("source.tsv"), "--source-validation", job.path("source.tsv"),
                "--source-batch-size", "4",
            ]
        }
        switch self {
        case .mean: return ["--pooling", "mean"]
        case .regression:
            return try table("numbers.tsv", "sentence\tlabel") { row, text, _ in "\(text)\t\(Double(row) / 10)" }
        case .targets:
            return try table("targets.tsv", "sentence\ta\tb") { row, text, label in
                "\(text)\t\(label)\t\(Double(row) / 10)"
            } + ["--label-column", "a,b"]
        case .multiLabel:
            return try table("labels.tsv", "sentence\tlabel") { row, text, label in
                "\(text)\t\(["", "long", "good,long"][label])"
            }
                + ["--task", "multi-label"]
        case .words:
            let sentences = rows.map { sample in
                sample.text.split(separator: " ").enumerated().map { "\($1) \($0 % 3 == 0 ? "B-X" : "O")\n" }.joined()
            }
            try job.write("words.conll", sentences.joined(separator: "\n"))
            return ["--train", job.path("words.conll")]
        case .masked:
            try job.write("plain.txt", rows.map { $0.text + "\n" }.joined())
            return ["--train", job.path("plain.txt"), "--task", "masked-lm", "--whole-word-masking"]
        case .weighted: return ["--class-weights", "balanced", "--label-smoothing", "0.1"]
        case .joint: return try source() + ["--lambda", "0.5"]
        case .jointShared:
            return try source() + [
                "--shared-layers", "1", "--lambda", "1", "--lambda-end", "0.25", "--lambda-schedule", "cosine",
            ]
        case .jointMasked: return try source() + ["--source-task", "masked-lm", "--lambda", "2"]
        case .jointRegression: return try source() + ["--source-label-column", "score", "--lambda", "0"]
        }
    }

    /// A validation file of the task, here its training data.
    static func validation(_ options: [String], _ job: SmallJob) -> [String] {
        let train = options.firstIndex(of: "--train").map { options[$0 + 1] } ?? job.validation
        return ["--validation", train]
    }
}
