import Testing

@testable import BERT
@testable import Configuration
@testable import Learning
@testable import Runs
@testable import Wording

/// `--freeze` beside `--lora-rank`.
@Suite struct FrozenAdaptersTests {
    private func notes(_ freeze: String..., targets: String...) throws -> [String] {
        let run = try SmallRun(samples: 6)
        return try run.inputs {
            ($0.loraRank, $0.freeze, $0.loraTargets) = (2, freeze, targets)
        }.notes.filter { $0.contains("--freeze") }
    }

    @Test(arguments: ["*query*", "*.query.lora_B*", "*lora_B*", "*layer.1.attention.self.value.lora_B*", "layers 0-2"])
    func `adapters that would be trained for nothing, or not at all, are refused`(pattern: String) {
        #expect(throws: InputError.self) { try notes(pattern) }
    }

    @Test func `adapters that stay at zero are counted`() throws {
        #expect(try notes("layers 0-1")[0].contains("4 of 6 adapters at zero"))
        let one = try notes("*layer.1.attention.self.query*")
        #expect(one.count == 1 && one[0].hasSuffix("query in layer 1"), "\(one)")
        #expect(
            try notes("*query*", targets: "value") == [
                "--freeze '*query*' changes nothing: --lora-rank freezes all of "
                    + "the source but its head already"
            ])
    }

    @Test func `a pattern of what adapters freeze anyway is said to change nothing`() throws {
        for pattern in ["embeddings", "pooler", "*.dense.weight"] {
            let lines = try notes(pattern)
            #expect(lines.count == 1 && lines[0].contains("'\(pattern)' changes nothing"), "\(lines)")
        }
        #expect(try notes("*lora_A*").isEmpty)
        #expect(try notes("classifier").isEmpty)
        #expect(try notes().isEmpty)
    }
}
