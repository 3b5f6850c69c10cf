/// Figures of an evaluation in addition to loss and accuracy, under their JSON names; absent if a task does not have
/// them.
package struct FurtherFigures: Codable, Sendable, Equatable {
    /// Names of the classes or labels, in the order of the figures by class.
    package var labels: [String]?
    /// For a multi-label task: the share of samples with exactly the right labels.
    package var exactMatch: Double?
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
    /// The mean over the classes or labels; with two classes that of the second one.
    package var rocAUC: Double?
    package var averagePrecision: Double?
    /// The expected error of the answers' confidence.
    package var calibrationError: Double?
    /// The share of answers whose class is among the k likeliest, by k.
    package var topK: [String: Double]?
    /// Number of answers in the four figures above, if not all.
    package var scoredAnswers: Int?

    enum CodingKeys: String, CodingKey {
        case labels
        case exactMatch = "exact_match"
        case macroF1 = "macro_f1"
        case matthews, precision, recall, f1, confusion
        case entityPrecision = "entity_precision"
        case entityRecall = "entity_recall"
        case entityF1 = "entity_f1"
        case pearson, spearman, mse
        case rocAUC = "roc_auc"
        case averagePrecision = "average_precision"
        case calibrationError = "calibration_error"
        case topK = "top_k_accuracy"
        case scoredAnswers = "scored_answers"
    }

    package init() {}

    package init(_ matrix: ConfusionMatrix) {
        let labels = 0..<matrix.classes
        macroF1 = matrix.macroF1
        matthews = matrix.matthews
        (precision, recall, f1) = (labels.map(matrix.precision), labels.map(matrix.recall), labels.map(matrix.f1))
        confusion = matrix.counts
    }

    /// - Parameter targets: numbers per sample; for several, figures are averaged.
    package init(truths: [Double], answers: [Double], targets: Int = 1) {
        guard !truths.isEmpty else { return }
        func mean(_ figure: ([Double], [Double]) -> Double?) -> Double? {
            var sum = 0.0
            for target in 0..<targets {
                let places = stride(from: target, to: truths.count, by: targets)
                guard let own = figure(places.map { answers[$0] }, places.map { truths[$0] }) else { return nil }
                sum += own
            }
            return sum / Double(targets)
        }
        pearson = mean(Correlation.pearson)
        spearman = mean(Correlation.spearman)
        mse = mean(Correlation.meanSquaredError)
    }

    /// For a multi-label task: each label counts separately as right or wrong.
    /// - Parameters:
    ///   - flags: (samples, labels) 1 for each label that a sample has, 0 for the others.
    ///   - answers: the same for the answered labels.
    package init(flags: [Int32], answers: [Int32], labels: Int) {
        let matrices = (0..<labels).map { label in
            let places = stride(from: label, to: flags.count, by: labels)
            return ConfusionMatrix(classes: 2, truths: places.map { flags[$0] }, answers: places.map { answers[$0] })
        }
        (precision, recall, f1) = (
            matrices.map { $0.precision(1) }, matrices.map { $0.recall(1) }, matrices.map { $0.f1(1) }
        )
        macroF1 = matrices.reduce(0.0) { $0 + $1.f1(1) } / Double(max(1, labels))
        let samples = stride(from: 0, to: flags.count, by: labels)
        let exact = samples.count { flags[$0..<($0 + labels)] == answers[$0..<($0 + labels)] }
        exactMatch = Double(exact) / Double(max(1, flags.count / max(1, labels)))
    }

    /// The figures of each class, for people.
    /// - Parameter names: of the classes; those of an evaluation that has names of its own come first.
    package func byClass(names: [String]) -> [(label: String, precision: Double, recall: Double, f1: Double)] {
        guard let precision, let recall, let f1, recall.count == precision.count, f1.count == precision.count else {
            return []
        }
        let names = labels ?? names
        return f1.indices.map { index in
            (
                names.indices.contains(index) ? names[index] : "LABEL_\(index)", precision[index], recall[index],
                f1[index]
            )
        }
    }

    package mutating func add(_ entities: EntityScores) {
        (entityPrecision, entityRecall, entityF1) = (entities.precision, entities.recall, entities.f1)
    }
}
