/// How often each class was answered with each class, and derived figures as in scikit-learn.
package struct ConfusionMatrix: Codable, Sendable, Equatable {
    /// counts[truth][answer].
    package private(set) var counts: [[Int]]

    package init(classes: Int) { counts = Array(repeating: Array(repeating: 0, count: classes), count: classes) }

    /// - Parameter pairs: each sample's class and the class answered.
    package init(classes: Int, truths: some Sequence<Int32>, answers: some Sequence<Int32>) {
        self.init(classes: classes)
        for (truth, answer) in zip(truths, answers) { counts[Int(truth)][Int(answer)] += 1 }
    }

    package var classes: Int { counts.count }
    package var samples: Int { counts.joined().reduce(0, +) }
    package var correct: Int { counts.indices.reduce(0) { $0 + counts[$1][$1] } }
    /// Samples of a class.
    package func support(_ label: Int) -> Int { counts[label].reduce(0, +) }
    /// Samples that were answered with a class.
    package func answered(_ label: Int) -> Int { counts.reduce(0) { $0 + $1[label] } }

    package var accuracy: Double { Self.ratio(correct, samples) }
    package func precision(_ label: Int) -> Double { Self.ratio(counts[label][label], answered(label)) }
    package func recall(_ label: Int) -> Double { Self.ratio(counts[label][label], support(label)) }
    package func f1(_ label: Int) -> Double { Self.ratio(2 * counts[label][label], support(label) + answered(label)) }

    /// The mean of the classes' F1, over the classes that occur among truths or answers.
    package var macroF1: Double {
        let found = counts.indices.filter { support($0) + answered($0) > 0 }
        return found.isEmpty ? 0 : found.reduce(0.0) { $0 + f1($1) } / Double(found.count)
    }

    /// Matthews' correlation for any number of classes; 0 if undefined.
    ///
    /// Source: Gorodkin 2004.
    package var matthews: Double {
        let (supports, answers) = (counts.indices.map(support), counts.indices.map(answered))
        let all = Double(samples)
        let both = Double(correct) * all - zip(supports, answers).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        let ofTruths = all * all - supports.reduce(0.0) { $0 + Double($1) * Double($1) }
        let ofAnswers = all * all - answers.reduce(0.0) { $0 + Double($1) * Double($1) }
        return ofTruths * ofAnswers > 0 ? both / (ofTruths.squareRoot() * ofAnswers.squareRoot()) : 0
    }

    private static func ratio(_ part: Int, _ whole: Int) -> Double { whole == 0 ? 0 : Double(part) / Double(whole) }
}
