internal import BERT
package import Configuration
internal import Console
internal import Files
internal import Foundation
internal import Inputs
internal import Kernels
internal import Learning
internal import Tensors
internal import TextData
internal import Wording

/// Scores a trained model on labelled data.
package enum Scoring {
    /// The metrics, as one JSON object.
    /// - Parameter predictions: a new file for each sample's scores.
    package static func run(_ options: InferenceOptions, predictions: String? = nil) throws -> String {
        if let predictions {
            guard options.input != "-" else {
                throw InputError(
                    "--predictions records the SHA-256 of the scored file, standard input has none: name a file with "
                        + "--input, or leave it out")
            }
            try NewFile.check(predictions, flag: "--predictions")
        }
        if let doubt = Arithmetic.doubt { sayToUser(doubt) }
        let trained = try TrainedModel(options)
        if let doubt = trained.configuration.contradiction { sayToUser(doubt) }
        let task = TaskData.Task(trained.model.head)
        var columns = ColumnNames(
            text: options.textColumn, pair: options.pairColumn, label: options.labelColumn, usual: trained.columns)
        if task == .multiLabel { columns.modelLabels = trained.configuration.labels }
        let dataset =
            if options.input == "-" {
                try TaskData.read(.standardInput, named: options.inputName, task, columns, options.inputFormat)
            } else {
                try TaskData.read(options.input, task, columns, options.inputFormat)
            }
        for note in dataset.notes { sayToUser("\(options.inputName): \(note)") }
        try trained.checkPairs(dataset, options)
        var reading = TaskData.Reading(columns: columns, maxLength: trained.maxLength, threads: options.threads)
        reading.wholeWords = trained.wholeWords
        let tokenized = try TaskData.tokenize(
            dataset, task, trained.model.head, trained.labels, reading, trained.tokenizer)
        if let note = TaskData.noteOnTextsLeftOut(dataset, tokenized) { sayToUser(note) }
        try trained.checkMemory(options, scoring: tokenized.lengths)
        let runner = LaneRunner(model: trained.model, laneCount: 1, threads: options.threads)
        let names = trained.labels?.names
        let evaluated = try Evaluation.run(tokenized, runner: runner, parameters: trained.parameters.view, names: names)
        let report = evaluated.report
        if let predictions {
            guard let scores = evaluated.scores else {
                throw InputError("--predictions: \(options.model) has no scores to keep: leave it out")
            }
            try PredictionsFile.write(
                scores, of: tokenized, trained.model.head, names: names ?? trained.targets, split: .test, step: nil,
                digest: try DataDigests.whole(options.input, .test), to: predictions)
        }
        var members: [JSONValue.Member] = [.init("loss", .number(report.loss))]
        if let accuracy = report.accuracy { members.append(.init("accuracy", .number(accuracy))) }
        members += [.init("samples", .integer(report.samples)), .init("truncated", .integer(tokenized.truncatedCount))]
        let further = try JSONValue(parsing: Array(jsonLine(report.further).utf8)).members ?? []
        return JSONValue.object(members + further).line
    }
}
