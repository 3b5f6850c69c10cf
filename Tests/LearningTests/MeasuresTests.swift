import BERT
import Foundation
import Testing

@testable import Learning

/// Against scikit-learn, SciPy and seqeval: Tests/Fixtures/measures.
@Suite struct MeasuresTests {
    @Test func `texts whose labels are all right are told from labels that are right`() {
        // Two texts of three labels: one whole, one with two of three.
        let figures = FurtherFigures(flags: [1, 0, 1, 0, 1, 0], answers: [1, 0, 1, 0, 1, 1], labels: 3)
        #expect(figures.exactMatch == 0.5)
        #expect(figures.precision == [1, 1, 0.5] && figures.recall == [1, 1, 1])
        #expect(FurtherFigures(flags: [], answers: [], labels: 3).exactMatch == 0)
    }

    @Test func `scores that no samples under a head can have are told from those that can`() {
        var score = ChunkScore(
            lossSum: 1, lossCount: 2, samples: 2, asked: 2, correct: 1, truths: [0, 2], answers: [0, 1])
        let classes = Head.classification(labels: 3)
        #expect(score.fits(classes, samples: 2))
        #expect(!score.fits(classes, samples: 3) && !score.fits(.classification(labels: 2), samples: 2))
        let faults: [(inout ChunkScore) -> Void] = [
            { $0.answers = [0] }, { $0.answers = [0, -1] }, { $0.truths = [0, 2, 1] }, { $0.correct = 3 },
            { $0.correct = -1 }, { $0.asked = .max },
            { $0.lossCount = -1 }, { $0.numbers = [1] },
        ]
        for fault in faults {
            var changed = score
            fault(&changed)
            #expect(!changed.fits(classes, samples: 2), "\(changed)")
        }
        score.tokens = [2, 0]
        #expect(score.fits(.tokenClassification(labels: 3), samples: 2))
        for tokens: [Int32] in [[2], [3, -1], [1, 0]] {
            score.tokens = tokens
            #expect(!score.fits(.tokenClassification(labels: 3), samples: 2), "\(tokens)")
        }
        let flags = ChunkScore(
            lossCount: 6, samples: 2, asked: 6, correct: 6, truths: [0, 1, 0, 1, 1, 0], answers: [0, 1, 0, 1, 1, 0])
        #expect(flags.fits(.multiLabel(labels: 3), samples: 2) && !flags.fits(.multiLabel(labels: 2), samples: 2))
        let numbers = ChunkScore(lossCount: 4, samples: 2, numbers: [1, 2, 3, 4], answeredNumbers: [1, 2, 3, 4])
        #expect(numbers.fits(.regression(targets: 2), samples: 2) && !numbers.fits(.regression(), samples: 2))
        #expect(ChunkScore(lossCount: 5, samples: 2, asked: 5, correct: 1).fits(.maskedLanguageModel, samples: 2))
    }

    private struct Fixture: Decodable {
        struct Classes: Decodable {
            let classes: Int
            let truth, answer: [Int32]
            let confusion: [[Int]]
            let accuracy, macro_f1, matthews: Double
            let precision, recall, f1: [Double]
            let support: [Int]
        }
        struct Numbers: Decodable {
            let truth, answer: [Double]
            let pearson, spearman, mse: Double
        }
        struct Tags: Decodable {
            let truth, answer: [[String]]
            let precision, recall, f1: Double
        }
        struct Scores: Decodable {
            let classes: Int
            let truth: [Int]
            let logits: [Float]
            let roc_auc, average_precision, calibration_error: Double
            let top_k: [String: Double]
        }
        struct Flags: Decodable {
            let labels: Int
            let truth: [Int]
            let logits: [Float]
            let roc_auc, average_precision: Double
        }
        let scores: [Scores]
        let flags: [Flags]
        let classes: [Classes]
        let numbers: [Numbers]
        let tags: [Tags]
    }

    private let fixture: Fixture

    init() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../Fixtures/measures/measures.json")
        fixture = try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: path))
    }

    private func close(_ a: Double?, _ b: Double) -> Bool { a.map { abs($0 - b) < 1e-12 } ?? false }

    @Test func `figures of classes are scikit-learn's`() {
        for wanted in fixture.classes {
            let matrix = ConfusionMatrix(classes: wanted.classes, truths: wanted.truth, answers: wanted.answer)
            #expect(matrix.counts == wanted.confusion)
            #expect(close(matrix.accuracy, wanted.accuracy))
            #expect(close(matrix.macroF1, wanted.macro_f1))
            #expect(close(matrix.matthews, wanted.matthews))
            for label in 0..<wanted.classes {
                #expect(close(matrix.precision(label), wanted.precision[label]))
                #expect(close(matrix.recall(label), wanted.recall[label]))
                #expect(close(matrix.f1(label), wanted.f1[label]))
                #expect(matrix.support(label) == wanted.support[label])
            }
        }
    }

    @Test func `with more classes than pairs are counted the figures are the same`() {
        let classes = ConfusionMatrix.mostPaired
        // All figures are over classes that occur, and those of the last one never do.
        let truths = (0..<3_000).map { Int32($0 * 7 % classes) }
        let answers = truths.enumerated().map { $0 % 3 == 0 ? Int32(($0 * 11) % classes) : $1 }
        let paired = ConfusionMatrix(classes: classes, truths: truths, answers: answers)
        let others = ConfusionMatrix(classes: classes + 1, truths: truths, answers: answers)
        #expect(paired.counts?.count == classes && others.counts == nil)
        #expect(paired.accuracy == others.accuracy && paired.macroF1 == others.macroF1)
        #expect(paired.matthews == others.matthews && paired.samples == others.samples)
        for label in 0..<classes {
            #expect(paired.precision(label) == others.precision(label) && paired.f1(label) == others.f1(label))
        }
        // A matrix of the pairs of these would take more memory than there is.
        let many = ConfusionMatrix(classes: 2_000_000, truths: truths, answers: answers)
        #expect(many.macroF1 == paired.macroF1 && FurtherFigures(many).confusion == nil)
    }

    @Test func `correlations are SciPy's`() {
        for wanted in fixture.numbers {
            #expect(close(Correlation.pearson(wanted.answer, wanted.truth), wanted.pearson))
            #expect(close(Correlation.spearman(wanted.answer, wanted.truth), wanted.spearman))
            #expect(close(Correlation.meanSquaredError(wanted.answer, wanted.truth), wanted.mse))
        }
        #expect(Correlation.pearson([1, 1, 1], [1, 2, 3]) == nil)
    }

    @Test func `figures of scores are scikit-learn's`() {
        for wanted in fixture.scores {
            var figures = FurtherFigures()
            figures.add(
                probabilities: FurtherFigures.softmax(wanted.logits, width: wanted.classes), truths: wanted.truth,
                wanted.classes)
            #expect(close(figures.rocAUC, wanted.roc_auc))
            #expect(close(figures.averagePrecision, wanted.average_precision))
            #expect(close(figures.calibrationError, wanted.calibration_error))
            #expect((figures.topK ?? [:]).keys.sorted() == wanted.top_k.keys.sorted())
            for (most, share) in wanted.top_k { #expect(close(figures.topK?[most], share)) }
        }
        for wanted in fixture.flags {
            var figures = FurtherFigures()
            figures.add(logits: wanted.logits, isPositive: wanted.truth.map { $0 == 1 }, wanted.labels)
            #expect(close(figures.rocAUC, wanted.roc_auc))
            #expect(close(figures.averagePrecision, wanted.average_precision))
        }
    }

    @Test func `scores that say nothing have no figures`() {
        #expect(ScoreFigures.areaUnderROC([0.1, 0.2], [true, true]) == nil)
        #expect(ScoreFigures.averagePrecision([0.1, 0.2], [false, false]) == nil)
        #expect(ScoreFigures.calibrationError(ScoreFigures.calibration([], [])) == nil)
        var figures = FurtherFigures()
        figures.add(probabilities: [.nan, .nan, 0.5, 0.5], truths: [0, 1], 2)
        #expect(figures == FurtherFigures())
    }

    @Test func `entities are seqeval's`() {
        for wanted in fixture.tags {
            var scores = EntityScores()
            for (truth, answer) in zip(wanted.truth, wanted.answer) { scores.add(truth: truth, answer: answer) }
            #expect(close(scores.precision, wanted.precision))
            #expect(close(scores.recall, wanted.recall))
            #expect(close(scores.f1, wanted.f1))
        }
    }
}
