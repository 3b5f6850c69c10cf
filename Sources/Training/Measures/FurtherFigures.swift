/// What an evaluation shows beside loss and accuracy, under the names that JSON gives it; absent is what a task does not have.
package struct FurtherFigures: Codable, Sendable, Equatable {
    package var macroF1: Double?
    package var matthews: Double?
    /// By class, in the order of the labels.
    package var precision: [Double]?
    package var recall: [Double]?
    package var f1: [Double]?
    /// confusion[truth][answer], counts.
    package var confusion: [[Int]]?
    package var entityPrecision: Double?
    package var entityRecall: Double?
    package var entityF1: Double?
    package var pearson: Double?
    package var spearman: Double?
    package var mse: Double?

    enum CodingKeys: String, CodingKey {
        case macroF1 = "macro_f1"
        case matthews, precision, recall, f1, confusion
        case entityPrecision = "entity_precision"
        case entityRecall = "entity_recall"
        case entityF1 = "entity_f1"
        case pearson, spearman, mse
    }

    package init() {}

    package init(_ matrix: ConfusionMatrix) {
        let labels = 0..<matrix.classes
        macroF1 = matrix.macroF1
        matthews = matrix.matthews
        (precision, recall, f1) = (labels.map(matrix.precision), labels.map(matrix.recall), labels.map(matrix.f1))
        confusion = matrix.counts
    }

    package init(truths: [Double], answers: [Double]) {
        pearson = Correlation.pearson(answers, truths)
        spearman = Correlation.spearman(answers, truths)
        mse = Correlation.meanSquaredError(answers, truths)
    }

    package init(_ entities: EntityScores) {
        (entityPrecision, entityRecall, entityF1) = (entities.precision, entities.recall, entities.f1)
    }
}
