import BERT
import Foundation
import Testing
import TextData

@testable import Configuration
@testable import Learning
@testable import Runs

@Suite struct ModelCardTests {
    @Test func `names from outside stand in quotes that YAML can read`() {
        #expect(ModelCard.quoted("plain name.tsv") == #""plain name.tsv""#)
        #expect(ModelCard.quoted("a\"b\\c\n---\nx: y") == #""a\"b\\c\u000a---\u000ax: y""#)
        #expect(
            ModelCard.quoted("größe 🙂\u{2028}\u{0}\u{85}")
                == #""gr\u00f6\u00dfe \U0001f642\u2028\u0000\u0085""#)
    }

    @Test func `names from outside stand in code spans that Markdown cannot leave`() {
        #expect(ModelCard.code("good") == "`good`")
        #expect(ModelCard.code("a`b``c") == "```a`b``c```")
        #expect(ModelCard.code("`x") == "`` `x ``")
        #expect(ModelCard.code("a\n# b\u{202E}") == #"`a\u{a}# b\u{202e}`"#)
        #expect(ModelCard.code(String(repeating: "x", count: 1_000_000)).count < 250)
    }

    @Test func `the source model is named where its folder is one of the hub's cache`() throws {
        let path =
            "/home/a/.cache/huggingface/hub/models--google-bert--bert-base-uncased/"
            + "snapshots/86b5e0934494bd15c9632b12f734a8a67f723594"
        let base = try #require(ModelCard.base(ofModel: path))
        #expect(base.name == "google-bert/bert-base-uncased")
        #expect(base.revision == "86b5e0934494bd15c9632b12f734a8a67f723594")
        #expect(ModelCard.base(ofModel: "/home/a/models/bert") == nil)
    }

    @Test func `a card has task, data, figures, settings and check sum, and no text of the data`() throws {
        let run = try SmallRun(samples: 12)
        let inputs = try run.inputs { $0.validation = $0.train }
        let report = EvaluationReport(
            [
                ChunkScore(
                    lossSum: 6, lossCount: 12, samples: 12, asked: 12, correct: 9, truths: [0, 1, 2],
                    answers: [0, 1, 1])
            ], inputs.model.head)
        let card = ModelCard(
            inputs: inputs, figures: [(.validation, report)], step: 3, digests: (file: "f00d", parameters: "cafe")
        ).text
        for line in [
            "pipeline_tag: text-classification", "- classification", "    - type: accuracy\n      value: 0.75",
            "      name: \"train.tsv\"",
            "- validation, 12 samples: accuracy 0.7500, loss 0.5000", "- learning-rate: `0.001`", "    f00d",
            "    cafe", "## Limits",
        ] { #expect(card.contains(line), "\(line)") }
        #expect(card.contains("| class | samples | precision | recall | F1 |\n|---|---|---|---|---|\n"))
        let classes = try #require(inputs.labels?.names)
        for (index, name) in classes.enumerated() {
            let figures = [report.further.precision, report.further.recall, report.further.f1]
                .compactMap { $0.map { String(format: "%.4f", $0[index]) } }
            let samples = try #require(inputs.statistics["validation"]?.classes?[index].count)
            #expect(card.contains("| `\(name)` | \(samples) | \(figures.joined(separator: " | ")) |\n"), "\(card)")
        }
        #expect(card.hasPrefix("---\n"))
        #expect(card.components(separatedBy: "\n---\n").count == 2)
        #expect(!card.contains(run.folder))
        #expect(!card.contains("w17"))
    }

    @Test func `samples that were held out are said to be of the training file`() throws {
        let run = try SmallRun(samples: 12)
        let inputs = try run.inputs { $0.validationSplit = 0.25 }
        let report = EvaluationReport(
            [
                ChunkScore(
                    lossSum: 1, lossCount: 3, samples: 3, asked: 3, correct: 2, truths: [0, 1, 2], answers: [0, 1, 1])
            ], inputs.model.head)
        let card = ModelCard(
            inputs: inputs, figures: [(.validation, report)], step: 3, digests: (file: "f00d", parameters: "cafe")
        ).text
        #expect(card.contains(" held out of `train.tsv`, "))
        #expect(card.contains("      name: \"train.tsv\""))
    }
}
