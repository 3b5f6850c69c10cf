internal import BERT
internal import Configuration
internal import Inputs
internal import Learning
internal import TextData
internal import Wording

/// The second task of a run: its data, and its head on the lower layers.
struct SourceTask: Sendable {
    let data: TaskData
    let head: SourceHead

    /// - Returns: nil if the configuration has no source task.
    init?(_ configuration: TrainingConfiguration, _ tokenizer: WordPieceTokenizer, layers: Int) throws {
        guard let train = configuration.sourceTrain else { return nil }
        let shared = configuration.sharedLayers ?? layers
        guard shared <= layers else {
            throw InputError(
                "--shared-layers is \(shared), the model in \(configuration.model) has \(layers): lower it")
        }
        var reading = TaskData.Reading(
            columns: ColumnNames(
                text: configuration.sourceTextColumn, pair: configuration.sourcePairColumn,
                label: configuration.sourceLabelColumn),
            maxLength: configuration.lengthLimit, threads: configuration.threads)
        reading.seed = configuration.seed
        reading.stream = .source
        reading.wholeWords = configuration.wholeWordMasking
        let files =
            [(Split.sourceTrain, train)] + (configuration.sourceValidation.map { [(.sourceValidation, $0)] } ?? [])
        data = try TaskData(files, task: configuration.sourceTask, reading, tokenizer: tokenizer)
        guard [.classification, .regression, .maskedLM].contains(data.task) else {
            throw InputError(
                "\(train): its labels make it \(data.task.rawValue), a source task is classification, regression or "
                    + "masked-lm: choose one with --source-task")
        }
        head = SourceHead(head: data.head, sharedLayers: shared)
    }
}
