import Files
import Foundation
import Testing
import TextData

@testable import Runs

/// What an exported folder says of its tokenizer.
@Suite struct TokenizerSettingsTests {
    @Test(arguments: [
        (#"{"tokenizer_class": "DistilBertTokenizer"}"#, false), ("{}", true),
        (#"{"model_input_names": ["input_ids", "attention_mask"]}"#, false),
    ])
    func `a model that is given no types is exported as one`(configuration: String, hasTypes: Bool) throws {
        let run = try SmallRun(samples: 6, pairs: true)
        try Data(configuration.utf8).write(to: URL(filePath: run.folder + "/tokenizer_config.json"))
        let inputs = try run.inputs()
        #expect(inputs.train.types?.contains(1) == hasTypes)
        let names = inputs.tokenizerSettings["model_input_names"]?.array?.compactMap(\.string)
        #expect(names == (hasTypes ? nil : ["input_ids", "attention_mask"]))
    }

    @Test func `a special token that shares its id is exported under its name`() throws {
        let run = try SmallRun(samples: 6)
        let vocabulary = run.folder + "/vocab.txt"
        let lines = try String(contentsOfFile: vocabulary, encoding: .utf8)
        // Without [PAD], which Transformers then adds after 210 different tokens: at the id of the last line.
        try Data(lines.replacing("[PAD]", with: "w7").utf8).write(to: URL(filePath: vocabulary))
        let settings = try run.inputs().tokenizerSettings
        #expect(settings["pad_token"]?.string == "[PAD]" && settings["mask_token"]?.string == "[MASK]")
    }
}
