internal import Tensors
internal import BERT
internal import Checkpoints
internal import TextData

/// Scores a trained model on labelled data.
enum Scoring {
    /// The metrics, as one JSON object.
    static func run(_ options: InferenceOptions) throws -> String {
        let trained = try TrainedModel(options)
        let task = TaskData.Task(trained.model.head)
        let columns = ColumnNames(text: options.textColumn, pair: options.pairColumn, label: options.labelColumn, usual: trained.columns)
        let dataset = try TaskData.read(options.input, task, columns)
        if dataset.pairs != nil { try trained.configuration.shape.checkPairs(model: options.model) }
        var reading = TaskData.Reading(columns: columns, maxLength: trained.maxLength, threads: options.threads)
        reading.wholeWords = trained.wholeWords
        let tokenized = try TaskData.tokenize(dataset, task, trained.model.head, trained.labels, reading, trained.tokenizer)
        let runner = LaneRunner(model: trained.model, laneCount: 1, threads: options.threads)
        let report = Evaluation.run(tokenized, runner: runner, parameters: trained.parameters.view, names: trained.labels?.names)
        var members: [JSONValue.Member] = [.init("loss", .number(report.loss))]
        if let accuracy = report.accuracy { members.append(.init("accuracy", .number(accuracy))) }
        members += [.init("samples", .integer(report.samples)), .init("truncated", .integer(tokenized.truncatedCount))]
        let further = try JSONValue(parsing: Array(jsonLine(report.further).utf8)).members ?? []
        if let labels = trained.labels, report.further.confusion != nil { members.append(.init("labels", .array(labels.names.map { .string($0) }))) }
        return JSONValue.object(members + further).line
    }
}
