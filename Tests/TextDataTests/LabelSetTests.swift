import Foundation
import Testing

@testable import TextData

@Suite struct LabelSetTests {
    private func dataset(_ labels: [String]) throws -> Dataset {
        let folder = try TemporaryFolder(["a.tsv": "text\tlabel\n" + labels.map { "x\t\($0)\n" }.joined()])
        return try Dataset(path: folder.path("a.tsv"), labels: .required)
    }

    @Test func integersFromZeroAreNamedAsInTransformers() throws {
        let labels = try LabelSet(training: dataset(["2", "0", "10", "1", "3", "4", "5", "6", "7", "8", "9"]))
        #expect(labels.words == (0...10).map { String($0) })
        #expect(labels.names[10] == "LABEL_10")
        #expect(try labels.classes(of: dataset(["10", "2"])) == [10, 2])
    }

    @Test func otherIntegersAreSortedByValueAndWordsByCodePoint() throws {
        #expect(try LabelSet(training: dataset(["10", "-1", "9"])).names == ["-1", "9", "10"])
        #expect(try LabelSet(training: dataset(["pos", "neg", "Neg", "é"])).names == ["Neg", "neg", "pos", "é"])
        #expect(try LabelSet(training: dataset(["1", "00"])).names == ["00", "1"])
    }

    @Test func namesOfATrainedModelReadTheSameWords() throws {
        #expect(LabelSet(names: ["LABEL_0", "LABEL_1"]).words == ["0", "1"])
        #expect(LabelSet(names: ["no", "yes"]).words == ["no", "yes"])
        #expect(
            try LabelSet(names: ["LABEL_0", "LABEL_1"]).classes(of: dataset(["1", "LABEL_1", "LABEL_0"])) == [1, 1, 0])
        let trained = try LabelSet(training: dataset(["1", "0"]))
        #expect(LabelSet(names: trained.names).words == trained.words)
    }

    @Test func theClassesOfTheSourceModelKeepItsOrder() throws {
        let words = try dataset(["bad", "good", "mixed"])
        #expect(try LabelSet(training: words, knownTo: ["mixed", "good", "bad"]).names == ["mixed", "good", "bad"])
        #expect(try LabelSet(training: words, knownTo: ["mixed", "good", "bad"]).classes(of: words) == [2, 1, 0])
        for other in [
            ["good", "bad"], ["good", "bad", "Mixed"], ["bad", "bad", "good"], ["LABEL_0", "LABEL_1", "LABEL_2"],
        ] {
            #expect(try LabelSet(training: words, knownTo: other).names == ["bad", "good", "mixed"])
        }
    }

    @Test func oneClassIsRefused() throws {
        let only = try dataset(["1", "1"])
        let error = #expect(throws: DatasetError.self) { try LabelSet(training: only) }
        #expect(error?.problem == "every label is \"1\", expected at least 2 classes: check --label-column")
    }

    @Test func aLabelNeverSeenInTrainingIsNamedWithItsLine() throws {
        let labels = try LabelSet(training: dataset(["yes", "no"]))
        let validation = try dataset(["no", "maybe"])
        let error = #expect(throws: DatasetError.self) { try labels.classes(of: validation) }
        #expect(error?.line == 3)
        #expect(
            error?.problem
                == "the label \"maybe\" did not occur in training, expected one of \"no\", \"yes\": fix the row or "
                + "train with it"
        )
    }

    @Test func targetsAreFiniteNumbers() throws {
        #expect(try dataset(["-1.5", "2", "1e-3"]).targets().values == [-1.5, 2, 0.001])
        for bad in ["nan", "inf", "1e99", "good"] {
            let dataset = try dataset(["1", bad])
            let error = #expect(throws: DatasetError.self) { try dataset.targets() }
            #expect(error?.line == 3)
        }
    }

    @Test func `a file too small to show what parts its labels has those of the training`() throws {
        let labels = try LabelSet(listed: dataset(["a+b", "b+c", "a", "c"]))
        #expect(labels.names == ["a", "b", "c"])
        #expect(try labels.flags(of: dataset(["a+c"])) == [1, 0, 1])
        let named = try LabelSet(listed: dataset(["R&D", "sales"]))
        #expect(try named.flags(of: dataset(["R&D"])) == [1, 0])
        #expect(throws: DatasetError.self) { try labels.flags(of: dataset(["a+d"])) }
    }
}
