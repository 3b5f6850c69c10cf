internal import BERT
package import Configuration
internal import Console
internal import Foundation
internal import Kernels
internal import TextData
internal import Wording

/// `apus predict`: reads texts, answers them in order and passes each line of the answer to `emit`.
package struct PredictionRun {
    private let options: InferenceOptions
    private let asked: AnswerOptions
    private let prediction: Prediction
    private var trained: TrainedModel { prediction.trained }

    /// Most texts in one group.
    private static let group = 1_024

    package init(_ options: InferenceOptions, _ asked: AnswerOptions) throws {
        self.options = options
        self.asked = asked
        prediction = try Prediction(options)
    }

    /// - Parameters:
    ///   - emit: takes a line.
    ///   - flush: called when the lines so far should reach their reader.
    package func run(emit: (String) throws -> Void, flush: () throws -> Void) throws {
        for doubt in [Arithmetic.doubt, trained.configuration.contradiction] { if let doubt { sayToUser(doubt) } }
        if options.input == "-", options.inputFormat == nil || options.inputFormat == .text {
            try answerStream(emit, flush)
        } else {
            try answerFile(emit)
        }
    }

    private func answerFile(_ emit: (String) throws -> Void) throws {
        let columns = ColumnNames(text: options.textColumn, pair: options.pairColumn, usual: trained.columns)
        let keepsTable = try AnswerWriter.format(asked) != .jsonl
        var dataset =
            if options.input == "-" {
                try Dataset(
                    stream: .standardInput, name: options.inputName, format: options.inputFormat, columns: columns,
                    labels: .unwanted, keepsTable: keepsTable)
            } else {
                try Dataset(
                    path: options.input, part: .test, format: options.inputFormat, columns: columns, labels: .unwanted,
                    allowsPlainText: trained.model.head == .maskedLanguageModel || options.inputFormat == .text,
                    keepsTable: keepsTable)
            }
        if case .tokenClassification = trained.model.head { dataset.readWordsInTexts() }
        for note in dataset.notes { sayToUser("\(options.inputName): \(note)") }
        try trained.checkPairs(dataset, options)
        let header = dataset.table?.header ?? ["text"]
        let writer = try AnswerWriter(
            asked, input: options.inputName, columns: header, answers: Answer.columns(trained))
        func question(_ row: Int) -> AnswerWriter.Asked {
            .init(
                text: dataset.texts[row], pair: dataset.pairs?[row],
                fields: dataset.table?.rows[row] ?? [dataset.texts[row]],
                name: "\(dataset.file(ofRow: row)), line \(dataset.lines[row])")
        }
        for row in 0..<dataset.count { try writer.check(question(row).fields, question(row).name) }
        if let line = writer.firstLine { try emit(line) }
        for start in stride(from: 0, to: dataset.count, by: Self.group) {
            let range = start..<min(start + Self.group, dataset.count)
            let answers = prediction.answers(
                Array(dataset.texts[range]), pairs: dataset.pairs.map { Array($0[range]) },
                words: dataset.words.map { Array($0[range]) })
            for (row, answer) in zip(range, answers) { try emit(writer.line(answer, to: question(row))) }
        }
    }

    private func answerStream(_ emit: (String) throws -> Void, _ flush: () throws -> Void) throws {
        if trained.readsPairs == true {
            throw InputError(
                "standard input is single texts, \(options.model) was trained on pairs: pass a table with two "
                    + "text columns and say which it is, such as --input-format tsv"
            )
        }
        var reader = try BareTextReader(FileHandle.standardInput)
        let writer = try AnswerWriter(
            asked, input: "standard input", columns: ["text"], answers: Answer.columns(trained))
        if let line = writer.firstLine { try emit(line) }
        let prompt = Prompt()
        prompt?.explain()
        var count = 0
        while true {
            prompt?.show()
            let texts = try reader.lines(most: Self.group)
            guard !texts.isEmpty else { break }
            if count == 0, prompt == nil, let note = InputLook(of: texts, columns: trained.columns)?.note {
                sayToUser(note)
            }
            for (place, answer) in prediction.answers(texts, pairs: nil).enumerated() {
                let text = texts[place]
                try emit(
                    writer.line(
                        answer,
                        to: .init(
                            text: text, pair: nil, fields: [text], name: "standard input, line \(count + place + 1)")))
            }
            count += texts.count
            try flush()
        }
        prompt?.end()
    }
}

/// Prompts for a person at a terminal: on standard error, so that answers can be redirected.
private struct Prompt {
    /// Nil without a terminal.
    init?() { guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else { return nil } }

    func explain() { write("Type a text and press Enter; Ctrl-D ends.\n") }
    func show() { write("> ") }
    /// Ends the line of the prompt.
    func end() { write("\n") }

    private func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}
