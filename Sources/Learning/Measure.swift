package import BERT
package import Wording

/// A figure of an evaluation by which models can be compared.
package enum Measure: String, Codable, CaseIterable, Sendable {
    case accuracy
    case exactMatch = "exact-match"
    case macroF1 = "macro-f1"
    case matthews
    case entityF1 = "entity-f1"
    case pearson
    case spearman
    case mse
    case rocAUC = "roc-auc"
    case averagePrecision = "average-precision"
    case loss

    /// Nil if a task has no such figure.
    package func value(in report: EvaluationReport) -> Double? {
        switch self {
        case .accuracy: report.accuracy
        case .exactMatch: report.further.exactMatch
        case .macroF1: report.further.macroF1
        case .matthews: report.further.matthews
        case .entityF1: report.further.entityF1
        case .pearson: report.further.pearson
        case .spearman: report.further.spearman
        case .mse: report.further.mse
        case .rocAUC: report.further.rocAUC
        case .averagePrecision: report.further.averagePrecision
        case .loss: report.loss
        }
    }

    /// The default measure.
    package static func usual(_ report: EvaluationReport) -> Measure { report.accuracy == nil ? .loss : .accuracy }

    /// The name in messages.
    package var words: String {
        switch self {
        case .exactMatch: "exact match"
        case .macroF1: "macro F1"
        case .matthews: "Matthews"
        case .entityF1: "entity F1"
        case .pearson: "Pearson"
        case .spearman: "Spearman"
        case .mse: "mean squared error"
        case .rocAUC: "ROC-AUC"
        case .averagePrecision: "average precision"
        case .accuracy, .loss: rawValue
        }
    }

    /// The name of a figure of `report`: with several labels per text, accuracy is a share of labels, not of texts.
    package func words(in report: EvaluationReport) -> String {
        words(hasExactMatch: report.further.exactMatch != nil)
    }

    /// The same, given whether there is an exact match, as with several labels per text.
    package func words(hasExactMatch: Bool) -> String {
        self == .accuracy && hasExactMatch ? "label accuracy" : words
    }

    package var isBetterWhenSmaller: Bool { self == .loss || self == .mse }
}

extension Measure {
    /// - Throws: ``InputError`` if the task has no such figure.
    package func check(_ head: Head) throws(InputError) {
        let needed: String? =
            switch (self, head) {
            case (.loss, _): nil
            case (.accuracy, .regression): "a task with classes"
            case (.accuracy, _): nil
            case (.exactMatch, .multiLabel): nil
            case (.exactMatch, _): "multi-label"
            case (.macroF1, .classification), (.macroF1, .tokenClassification), (.macroF1, .multiLabel): nil
            case (.matthews, .classification), (.matthews, .tokenClassification): nil
            case (.macroF1, _), (.matthews, _): "classification"
            case (.pearson, .regression), (.spearman, .regression), (.mse, .regression): nil
            case (.pearson, _), (.spearman, _), (.mse, _): "regression"
            case (.rocAUC, .classification), (.rocAUC, .tokenClassification), (.rocAUC, .multiLabel): nil
            case (.averagePrecision, .classification), (.averagePrecision, .tokenClassification),
                (.averagePrecision, .multiLabel):
                nil
            case (.rocAUC, _), (.averagePrecision, _): "a task with classes"
            case (.entityF1, .tokenClassification): nil
            case (.entityF1, _): "token classification"
            }
        if let needed {
            throw InputError(
                "--metric \(rawValue) is a figure of \(needed), this task is another: choose a figure that it has")
        }
    }
}
