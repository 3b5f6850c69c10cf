internal import ArgumentParser
internal import Configuration

/// The task, the data files and their columns.
struct DataOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Folder of the source model in Hugging Face's layout, or its name there, such as "
                + "google-bert/bert-base-uncased, perhaps with @revision. (default: all-MiniLM-L6-v2)",
            valueName: "dir"))
    var model: String?
    @Option(
        help: ArgumentHelp(
            "Training data: TSV, CSV, JSON lines or .conll, perhaps with .gz; several, a pattern such as "
                + "'part-*.jsonl', or a folder with train, validation and test files. (default: movie reviews)",
            valueName: "file"))
    var train: String?
    @Option(
        help: ArgumentHelp(
            "Scored after each epoch, or 'none'. (default: that of --train's folder, or movie reviews with the "
                + "default data)", valueName: "file"))
    var validation: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Share of the training rows to hold out and score like --validation: the same share of each class, equal "
                + "texts on the same side, chosen by --seed.", valueName: "share"))
    var validationSplit: Double?
    @Option(
        help: ArgumentHelp(
            "Scored once, at the end, or 'none'. (default: like --validation)", valueName: "file"))
    var test: String?
    @Option(
        help: ArgumentHelp(
            "How data files are read: \(TrainingConfiguration.formats). (default: detected from names and first lines)",
            valueName: "name"))
    var inputFormat: String?
    @Option(help: ArgumentHelp("Column of the text. (default: by the header)", valueName: "name"))
    var textColumn: String?
    @Option(help: ArgumentHelp("Column of the second text of a pair.", valueName: "name"))
    var pairColumn: String?
    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Column of the label, or several separated by commas or by repeating the option. (default: by the header)",
            valueName: "name"))
    var labelColumn: [String] = []
    @Option(
        help: ArgumentHelp(
            "The task: classification (one class per text), regression (numbers), multi-label (any number of "
                + "labels per text), token-classification (a tag for each word) or masked-lm (hidden words). "
                + "(default: by the labels)", valueName: "name"))
    var task: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Most tokens of a sample with [CLS] and [SEP]; the rest is cut off. (default: 128, or as the model has)",
            valueName: "tokens"))
    var maxLength: Int?
    @Flag(help: "Let --max-length go beyond the model's positions: its position table is repeated.")
    var extendPositions = false
    @Option(
        help: ArgumentHelp(
            "Words of the domain, one per line, to add to the vocabulary with embeddings of their own.",
            valueName: "file"))
    var addTokens: String?
    @Flag(help: "With masked-lm: hide all tokens of a word together.")
    var wholeWordMasking = false

    func give(to given: inout GivenOptions) {
        given.give(.model, model)
        given.give(.train, train)
        given.give(.validation, validation)
        given.give(.validationSplit, validationSplit)
        given.give(.test, test)
        given.give(.inputFormat, inputFormat)
        given.give(.textColumn, textColumn)
        given.give(.pairColumn, pairColumn)
        given.give(.labelColumn, labelColumn.isEmpty ? nil : labelColumn)
        given.give(.task, task)
        given.give(.maxLength, maxLength)
        given.give(.extendPositions, extendPositions ? true : nil)
        given.give(.addTokens, addTokens)
        given.give(.wholeWordMasking, wholeWordMasking ? true : nil)
    }
}
