/// How often each class was answered with each class, and derived figures as in scikit-learn.
package struct ConfusionMatrix: Codable, Sendable, Equatable {
    /// Most classes of which all pairs are counted: with more, memory and files would grow with their square.
    package static let mostPaired = 1_000

    /// counts[truth][answer]; nil with more than ``mostPaired`` classes.
    package private(set) var counts: [[Int]]?
    /// By class: its samples, the samples that were answered with it, and those among them that are right.
    private var supports: [Int]
    private var answers: [Int]
    private var right: [Int]

    /// The answers to some samples.
    /// - Parameters:
    ///   - truths: each sample's class.
    ///   - answers: the class answered.
    package init(classes: Int, truths: some Sequence<Int32>, answers given: some Sequence<Int32>) {
        let none = [Int](repeating: 0, count: classes)
        (supports, answers, right) = (none, none, none)
        counts = classes <= Self.mostPaired ? Array(repeating: none, count: classes) : nil
        for (truth, answer) in zip(truths, given) {
            supports[Int(truth)] += 1
            answers[Int(answer)] += 1
            if truth == answer { right[Int(truth)] += 1 }
            counts?[Int(truth)][Int(answer)] += 1
        }
    }

    package var classes: Int { supports.count }
    package var samples: Int { supports.reduce(0, +) }
    package var correct: Int { right.reduce(0, +) }
    /// Samples of a class.
    package func support(_ label: Int) -> Int { supports[label] }
    /// Samples that were answered with a class.
    package func answered(_ label: Int) -> Int { answers[label] }

    package var accuracy: Double { Self.ratio(correct, samples) }
    package func precision(_ label: Int) -> Double { Self.ratio(right[label], answers[label]) }
    package func recall(_ label: Int) -> Double { Self.ratio(right[label], supports[label]) }
    package func f1(_ label: Int) -> Double { Self.ratio(2 * right[label], supports[label] + answers[label]) }

    /// The mean of the classes' F1, over the classes that occur among truths or answers.
    package var macroF1: Double {
        let found = supports.indices.filter { supports[$0] + answers[$0] > 0 }
        return found.isEmpty ? 0 : found.reduce(0.0) { $0 + f1($1) } / Double(found.count)
    }

    /// Matthews' correlation for any number of classes; 0 if undefined.
    ///
    /// Source: Gorodkin 2004.
    package var matthews: Double {
        let all = Double(samples)
        let both = Double(correct) * all - zip(supports, answers).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        let ofTruths = all * all - supports.reduce(0.0) { $0 + Double($1) * Double($1) }
        let ofAnswers = all * all - answers.reduce(0.0) { $0 + Double($1) * Double($1) }
        return ofTruths * ofAnswers > 0 ? both / (ofTruths.squareRoot() * ofAnswers.squareRoot()) : 0
    }

    private static func ratio(_ part: Int, _ whole: Int) -> Double { whole == 0 ? 0 : Double(part) / Double(whole) }
}
