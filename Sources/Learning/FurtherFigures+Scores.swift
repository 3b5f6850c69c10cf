internal import BERT
internal import Foundation
internal import Kernels
internal import Tensors
internal import TextData

extension FurtherFigures {
    /// Adds the figures over scores. They cover the answers whose scores are kept, and are absent where a score is not
    /// a number.
    mutating func add(_ scores: EvaluationScores, of dataset: TokenizedDataset, _ head: Head) {
        let answers = scores.answers
        let width = scores.plan.width
        if answers.count < dataset.answerCount { scoredAnswers = answers.count }
        switch (head, dataset.labels) {
        case (.classification, .classes(let classes)):
            add(
                probabilities: Self.softmax(scores.logits.array, width: width),
                truths: answers.map { Int(classes[$0]) }, width)
        case (.tokenClassification, .tokens(let labels)):
            add(
                probabilities: Self.softmax(scores.logits.array, width: width),
                truths: answers.map { Int(labels.classes[$0]) }, width)
        case (.multiLabel, .values(let flags, _)):
            add(
                logits: scores.logits.array,
                isPositive: answers.flatMap { flags[($0 * width)..<(($0 + 1) * width)].map { $0 > 0.5 } }, width)
        default: break
        }
    }

    /// For a multi-label task, each label separately.
    /// - Parameters:
    ///   - logits: (R, C).
    ///   - isPositive: (R, C).
    mutating func add(logits: [Float], isPositive: [Bool], _ width: Int) {
        guard logits.allSatisfy(\.isFinite) else { return }
        var areas: [Double?] = [], precisions: [Double?] = []
        for label in 0..<width {
            let places = stride(from: label, to: logits.count, by: width)
            let (own, flags) = (places.map { logits[$0] }, places.map { isPositive[$0] })
            areas.append(ScoreFigures.areaUnderROC(own, flags))
            precisions.append(ScoreFigures.averagePrecision(own, flags))
        }
        (rocAUC, averagePrecision) = (Self.mean(areas), Self.mean(precisions))
    }

    /// - Parameter probabilities: (R, C).
    mutating func add(probabilities: [Float], truths: [Int], _ width: Int) {
        guard probabilities.allSatisfy(\.isFinite), width > 1 else { return }
        var areas: [Double?] = [], precisions: [Double?] = []
        // With two classes the second one is the positive one.
        for label in width == 2 ? 1..<2 : 0..<width {
            let own = stride(from: label, to: probabilities.count, by: width).map { probabilities[$0] }
            let isPositive = truths.map { $0 == label }
            areas.append(ScoreFigures.areaUnderROC(own, isPositive))
            precisions.append(ScoreFigures.averagePrecision(own, isPositive))
        }
        (rocAUC, averagePrecision) = (Self.mean(areas), Self.mean(precisions))
        var (confidences, isRight, places): ([Float], [Bool], [Int]) = ([], [], [])
        for (answer, truth) in truths.enumerated() {
            let row = probabilities[(answer * width)..<((answer + 1) * width)]
            let best = Evaluation.largestIndex(row)
            confidences.append(row[row.startIndex + best])
            isRight.append(best == truth)
            places.append(ScoreFigures.place(of: truth, in: row))
        }
        calibrationError = ScoreFigures.calibrationError(ScoreFigures.calibration(confidences, isRight))
        guard width > 2, !truths.isEmpty else { return }
        topK = Dictionary(
            uniqueKeysWithValues: (2...min(5, width - 1)).map { most in
                (String(most), Double(places.count { $0 < most }) / Double(truths.count))
            })
    }

    private static func mean(_ figures: [Double?]) -> Double? {
        let defined = figures.compactMap { $0 }
        return defined.isEmpty ? nil : defined.reduce(0, +) / Double(defined.count)
    }

    /// The softmax of each row of (R, C).
    package static func softmax(_ logits: [Float], width: Int) -> [Float] {
        var values = logits
        for start in stride(from: 0, to: values.count, by: width) {
            let most = values[start..<(start + width)].max() ?? 0
            let powers = values[start..<(start + width)].map { exponential(Double($0) - Double(most)) }
            let all = powers.reduce(0, +)
            for (place, power) in powers.enumerated() { values[start + place] = Float(power / all) }
        }
        return values
    }
}

extension TokenizedDataset {
    /// The answers of an evaluation: one per sample or per labelled token.
    var answerCount: Int { if case .tokens(let labels) = labels { labels.classes.count } else { count } }
}
