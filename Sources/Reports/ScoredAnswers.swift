internal import Checkpoints
internal import Configuration
package import Files
internal import Foundation
internal import Inputs
internal import Kernels
internal import Learning
internal import TextData
internal import Wording

/// A run's answers to one split, with their scores, from its predictions file.
package struct ScoredAnswers {
    private let split: Split
    private let task: TrainingConfiguration.TargetTask
    private let names: [String]
    /// (R, C): probabilities, or the numbers.
    private let scores: [Float]
    private let width: Int
    /// (R) classes, or (R, C) numbers or flags.
    private let labels: [Float]
    private let samples: [Int]
    private let texts: Dataset?
    /// Why there are no texts.
    private let lack: String?

    /// Answers listed in each table.
    private static let listed = 20
    /// Most classes for which a confusion matrix is shown.
    private static let mostClasses = 60

    /// The test's answers, or else the validation's, of the best model, else of the last; nil if there are none.
    package init?(of run: RunRecord) {
        let places = [Split.test, .validation].flatMap { split in
            ["best", "last"].map { (split, PredictionsFile.path(inRun: run.path, split, $0)) }
        }
        for (split, path) in places where FileManager.default.fileExists(atPath: path) {
            if let found = try? ScoredAnswers(path, split, run) {
                self = found
                return
            }
        }
        return nil
    }

    private init(_ path: String, _ split: Split, _ run: RunRecord) throws {
        let file = try SafetensorsFile(path)
        let metadata = file.header.metadata
        guard let task = metadata["task"].flatMap(TrainingConfiguration.TargetTask.init),
            let shape = file.tensor("logits")?.shape, shape.count == 2, shape[0] > 0, shape[1] > 0
        else {
            throw FileError(path, "is not a predictions file")
        }
        self.split = split
        self.task = task
        width = shape[1]
        let logits = try file.floats("logits")
        scores =
            task == .classification || task == .tokenClassification
            ? FurtherFigures.softmax(logits, width: width) : logits
        samples = try file.readIntegers("samples").map { Int($0) }
        labels =
            file.tensor("labels")?.type == .int64
            ? try file.readIntegers("labels").map { Float($0) } : try file.floats("labels")
        let named =
            metadata["names"].flatMap { try? JSONValue(parsing: Array($0.utf8)) }?.array?.compactMap(\.string) ?? []
        names = (0..<shape[1]).map { $0 < named.count ? ReportText.shown(named[$0]) : "LABEL_\($0)" }
        let rows = shape[0]
        let areClasses = task == .classification || task == .tokenClassification
        guard rows == samples.count, scores.count == rows * width, width > 0,
            samples.allSatisfy({ $0 >= 0 && $0 < .max }),
            labels.count == (areClasses ? rows : rows * width), labels.allSatisfy(\.isFinite),
            task != .multiLabel || labels.allSatisfy({ $0 == 0 || $0 == 1 }),
            !areClasses || labels.allSatisfy({ $0 >= 0 && $0 < Float(shape[1]) && $0 == $0.rounded() })
        else {
            throw FileError(path, "is not a predictions file")
        }
        (texts, lack) = Self.texts(run, split, metadata["data_sha256"], needed: (samples.max() ?? -1) + 1)
    }

    /// The split's rows, if its file is still the scored one.
    private static func texts(_ run: RunRecord, _ split: Split, _ digest: String?, needed: Int) -> (Dataset?, String?) {
        let path = split == .test ? run.configuration?.test : run.configuration?.validation
        guard let configuration = run.configuration, let path else {
            return (nil, "The configuration does not name the file.")
        }
        guard let found = try? DataDigests.whole(path, split), digest == nil || found == digest else {
            return (nil, "The texts are not shown: \(ReportText.shown(path)) no longer exists or has changed.")
        }
        let columns = ColumnNames(text: configuration.textColumn, pair: configuration.pairColumn)
        guard let dataset = try? Dataset(path: path, part: split.part, columns: columns, labels: .unwanted),
            dataset.count >= needed
        else {
            return (nil, "The texts are not shown: \(ReportText.shown(path)) cannot be read.")
        }
        return (dataset, nil)
    }

    package func json(withTexts: Bool) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("title", .string(split == .test ? "Test answers" : "Validation answers")),
            .init("labels", .array(names.map { .string($0) })),
        ]
        if withTexts, let lack { members.append(.init("lack", .string(lack))) }
        switch task {
        case .classification, .tokenClassification: members += classes(withTexts)
        case .multiLabel: members += flags(withTexts)
        case .regression, .maskedLM: members += numbers(withTexts)
        }
        return .object(members)
    }

    private func row(_ answer: Int) -> ArraySlice<Float> { scores[(answer * width)..<((answer + 1) * width)] }

    private func classes(_ withTexts: Bool) -> [JSONValue.Member] {
        let truths = labels.map { Int32($0) }
        let answers = truths.indices.map { Evaluation.largestIndex(row($0)) }
        let confidences = truths.indices.map { answer in row(answer)[row(answer).startIndex + answers[answer]] }
        guard confidences.allSatisfy(\.isFinite) else { return [] }
        let matrix = ConfusionMatrix(classes: width, truths: truths, answers: answers.map { Int32($0) })
        let bins = ScoreFigures.calibration(confidences, truths.indices.map { answers[$0] == Int(truths[$0]) })
        func entry(_ answer: Int) -> JSONValue {
            self.entry(
                answer, truth: names[Int(truths[answer])], answer: names[answers[answer]],
                confidence: confidences[answer], withTexts: withTexts)
        }
        func margin(_ answer: Int) -> Float {
            let others = row(answer).enumerated().filter { $0.offset != answers[answer] }.map(\.element)
            return confidences[answer] - (others.max() ?? 0)
        }
        let wrong = truths.indices.filter { answers[$0] != Int(truths[$0]) }.sorted {
            (confidences[$1], $0) < (confidences[$0], $1)
        }
        let margins = truths.indices.map(margin)
        let unsure = truths.indices.sorted { (margins[$0], $0) < (margins[$1], $1) }
        var members: [JSONValue.Member] = []
        if width <= Self.mostClasses, let counts = matrix.counts {
            members.append(.init("confusion", .array(counts.map { .array($0.map { .integer($0) }) })))
        }
        members += [
            .init(
                "classes",
                .array(
                    (0..<width).prefix(500).map {
                        own($0, matrix.support($0), matrix.precision($0), matrix.recall($0), matrix.f1($0))
                    })),
            .init(
                "calibration",
                .array(
                    bins.map { bin in
                        let count = Double(max(1, bin.samples))
                        return .object([
                            .init("samples", .integer(bin.samples)),
                            .init("confidence", .point(bin.confidenceSum / count)),
                            .init("accuracy", .point(Double(bin.correct) / count)),
                        ])
                    })), .init("calibration_error", .point(ScoreFigures.calibrationError(bins) ?? .nan)),
            .init("mistakes", .array(wrong.prefix(Self.listed).map(entry))),
            .init("uncertain", .array(unsure.prefix(Self.listed).map(entry))),
        ]
        return members
    }

    private func flags(_ withTexts: Bool) -> [JSONValue.Member] {
        let matrices = (0..<width).map { label in
            let places = stride(from: label, to: labels.count, by: width)
            return ConfusionMatrix(
                classes: 2, truths: places.map { Int32(labels[$0]) }, answers: places.map { scores[$0] > 0 ? 1 : 0 })
        }
        func named(_ answer: Int, _ isThere: (Int) -> Bool) -> String {
            let found = (0..<width).filter { isThere(answer * width + $0) }.map { names[$0] }
            return found.isEmpty ? "none" : found.joined(separator: ", ")
        }
        /// The largest distance of a wrong label's score from the threshold; 0 if all are correct.
        func wrongness(_ answer: Int) -> Float {
            (0..<width).map { answer * width + $0 }.filter { (scores[$0] > 0) != (labels[$0] > 0.5) }.map {
                abs(scores[$0])
            }.max() ?? 0
        }
        func entry(_ answer: Int) -> JSONValue {
            self.entry(
                answer, truth: named(answer) { labels[$0] > 0.5 }, answer: named(answer) { scores[$0] > 0 },
                confidence: 1 / (1 + Float(exponential(-Double(wrongness(answer))))), withTexts: withTexts)
        }
        let wrong = samples.indices.filter { wrongness($0) > 0 }.sorted { (wrongness($1), $0) < (wrongness($0), $1) }
        return [
            .init(
                "classes",
                .array(matrices.enumerated().map { own($0, $1.support(1), $1.precision(1), $1.recall(1), $1.f1(1)) })),
            .init("mistakes", .array(wrong.prefix(Self.listed).map(entry))),
        ]
    }

    private func numbers(_ withTexts: Bool) -> [JSONValue.Member] {
        func distance(_ answer: Int) -> Float {
            (0..<width).map { abs(scores[answer * width + $0] - labels[answer * width + $0]) }.max() ?? 0
        }
        func shown(_ values: [Float], _ answer: Int) -> String {
            values[(answer * width)..<((answer + 1) * width)].map { decimal(Double($0), 3) }.joined(separator: ", ")
        }
        let furthest = samples.indices.sorted { (distance($1), $0) < (distance($0), $1) }
        let list = furthest.prefix(Self.listed).map { answer in
            entry(
                answer, truth: shown(labels, answer), answer: shown(scores, answer), confidence: distance(answer),
                withTexts: withTexts)
        }
        return [.init("furthest", .array(list))]
    }

    private func own(_ label: Int, _ samples: Int, _ precision: Double, _ recall: Double, _ f1: Double) -> JSONValue {
        .object([
            .init("label", .string(names[label])), .init("samples", .integer(samples)),
            .init("precision", .point(precision)),
            .init("recall", .point(recall)), .init("f1", .point(f1)),
        ])
    }

    private func entry(_ answer: Int, truth: String, answer said: String, confidence: Float, withTexts: Bool)
        -> JSONValue
    {
        let sample = samples[answer]
        var members: [JSONValue.Member] = [
            .init("row", .integer(sample + 1)), .init("truth", .string(truth)), .init("answer", .string(said)),
            .init("confidence", .point(Double(confidence))),
        ]
        if withTexts, let texts {
            members.append(.init("text", .string(ReportText.shown(texts.texts[sample]))))
            if let pair = texts.pairs?[sample] { members.append(.init("pair", .string(ReportText.shown(pair)))) }
        }
        return .object(members)
    }
}
