import BERT
import Foundation
import Tensors
import Testing

@testable import Configuration
@testable import Learning
@testable import Runs
import Wording

@Suite struct TrainedShareTests {
    @Test func `what is trained is said with its share`() throws {
        let run = try SmallRun(samples: 6)
        let all = try run.inputs()
        let count = all.model.layout.count
        #expect(all.trainedShare(fromStep: 1) == "training all \(grouped(count)) parameters")
        let frozen = try run.inputs { $0.freeze = ["embeddings", "layers 0"] }
        let words = frozen.trainedShare(fromStep: 1)
        #expect(
            words.hasPrefix(
                "training \(grouped(frozen.model.layout.stateCount)) of \(grouped(count)) "
                    + "parameters ("
            ))
        #expect(words.hasSuffix("layers 1-2, pooler, head (parameters.tsv)"), "\(words)")
        #expect(
            try run.inputs { $0.freeze = ["encoder"] }.trainedShare(fromStep: 1).hasSuffix(
                "%): pooler, head (parameters.tsv)"))
    }

    @Test func `an epoch says which layers it lets in`() throws {
        let run = try SmallRun(samples: 6)
        let inputs = try run.inputs { ($0.unfreezeEvery, $0.epochs) = (1, 5) }
        #expect(
            inputs.trainedShare(fromStep: 1).contains("%): pooler, head (parameters.tsv); one more layer every epoch"))
        #expect(inputs.stage(ofEpoch: 1) == nil)
        let layers = inputs.model.shape.layers
        let second = try #require(inputs.stage(ofEpoch: 2))
        #expect(second.hasPrefix("epoch 2/5: from here on also layer \(layers - 1); training "), "\(second)")
        let last = try #require(inputs.stage(ofEpoch: layers + 2))
        #expect(last.contains("from here on also embeddings; training all "), "\(last)")
    }

    @Test func `embeddings that stay frozen are not promised`() throws {
        let run = try SmallRun(samples: 6)
        func share(_ change: (inout TrainingConfiguration) -> Void) throws -> String {
            let inputs = try run.inputs {
                ($0.unfreezeEvery, $0.epochs) = (1, 5)
                change(&$0)
            }
            return inputs.trainedShare(fromStep: 1)
        }
        #expect(try share { _ in }.hasSuffix("from the top, then the embeddings"))
        #expect(try share { $0.freeze = ["embeddings"] }.hasSuffix("from the top"))
        #expect(try share { $0.loraRank = 2 }.hasSuffix("from the top"))
    }

    @Test func `a run that ends before a layer is let in says so`() throws {
        let run = try SmallRun(samples: 6)
        func notes(_ change: (inout TrainingConfiguration) -> Void) throws -> Bool {
            let inputs = try run.inputs {
                ($0.unfreezeEvery, $0.batchSize) = (1, 2)
                change(&$0)
            }
            return inputs.beginningNotes.contains { $0.contains("no layer is let in") }
        }
        #expect(try notes { ($0.epochs, $0.maxSteps) = (3, 3) })
        #expect(try !notes { ($0.epochs, $0.maxSteps) = (3, 4) })
        #expect(try notes { ($0.epochs, $0.freeze) = (2, ["layers 2"]) })
    }

    @Test func `added words that stay frozen are told`() throws {
        let run = try SmallRun(samples: 6)
        let path = "\(run.folder)/words.txt"
        try Data("bandel\nzoomik\n".utf8).write(to: URL(filePath: path))
        let frozen = try run.inputs { ($0.addTokens, $0.freeze) = (path, ["embeddings"]) }
        #expect(frozen.beginningNotes.contains { $0.contains("2 added words will not be trained") })
        let trained = try run.inputs { $0.addTokens = path }
        #expect(!trained.beginningNotes.contains { $0.contains("added word") })
    }

    @Test func `of many new parameters there is a count, and their names are in a table`() throws {
        let run = try SmallRun(samples: 6)
        let adapters = try run.inputs { $0.loraRank = 2 }
        #expect(
            adapters.beginningNotes.contains {
                $0.contains(" tensors with ") && $0.contains("listed in parameters.tsv")
            }, "\(adapters.beginningNotes)")
        #expect(adapters.trainedShare(fromStep: 1).contains("adapters of layers 0-"))
        let rows = adapters.parametersTable.split(separator: "\n")
        #expect(rows[0] == "name\tshape\tparameters\ttrained\tbegins")
        #expect(rows.count == adapters.model.layout.entries.count + 1)
        #expect(rows.contains { $0.contains("lora_A") && $0.hasSuffix("\tyes\trandom") })
        #expect(rows.contains { $0.contains("word_embeddings") && $0.hasSuffix("\tno\tsource") })
    }
}
