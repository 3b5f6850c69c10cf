import BERT
import Files
import Kernels
import Testing

@Suite struct BERTConfigurationTests {
    private static let smallest =
        #"{"hidden_size":24,"num_attention_heads":3,"num_hidden_layers":2,"vocab_size":37,"#
        + #""intermediate_size":40,"max_position_embeddings":20}"#

    /// The smallest configuration with some keys set; an empty text takes a key away.
    private func read(_ changes: (String, String)...) throws -> BERTConfiguration {
        var json = try JSONValue(parsing: Array(Self.smallest.utf8))
        for (key, text) in changes { json[key] = text.isEmpty ? nil : try JSONValue(parsing: Array(text.utf8)) }
        return try BERTConfiguration(json, path: "config.json")
    }

    @Test func whatIsNotSaidIsAsInTransformers() throws {
        let configuration = try read()
        let shape = configuration.shape
        #expect(
            shape.types == 2 && shape.epsilon == 1e-12 && shape.activation == .gelu && shape.initializerRange == 0.02)
        #expect(shape.hiddenDropout == 0.1 && shape.attentionDropout == 0.1 && shape.headDropout == 0.1)
        #expect(configuration.labels == ["LABEL_0", "LABEL_1"])
        #expect(!configuration.namesLabels)
        #expect(shape.padding == 0 && configuration.architectures.isEmpty && configuration.problemType == nil)
    }

    @Test func sizesAreRead() throws {
        let shape = try read(("type_vocab_size", "1"), ("layer_norm_eps", "1e-6")).shape
        #expect(
            (shape.width, shape.heads, shape.layers, shape.vocabulary, shape.feedForward, shape.positions) == (
                24, 3, 2, 37, 40, 20
            ))
        #expect(shape.types == 1 && shape.epsilon == 1e-6)
        #expect(try read(("pad_token_id", "5")).shape.padding == 5)
        #expect(try read(("pad_token_id", "null")).shape.padding == nil)
    }

    @Test(arguments: [
        ("gelu", Activation.gelu), ("gelu_new", .geluTanh), ("gelu_pytorch_tanh", .geluTanh), ("gelu_fast", .geluTanh),
        ("gelu_python", .gelu), ("gelu_accurate", .geluTanh), ("gelu_python_tanh", .geluTanh), ("relu", .relu),
    ])
    func knowsTheActivations(name: String, activation: Activation) throws {
        #expect(try read(("hidden_act", "\"\(name)\"")).shape.activation == activation)
    }

    @Test func theHeadsDropoutIsTheHiddenOneWhereItIsNull() throws {
        #expect(try read(("hidden_dropout_prob", "0.3"), ("classifier_dropout", "null")).shape.headDropout == 0.3)
        #expect(try read(("hidden_dropout_prob", "0.3"), ("classifier_dropout", "0")).shape.headDropout == 0)
        #expect(try read(("attention_probs_dropout_prob", "0.0")).shape.attentionDropout == 0)
    }

    @Test func labelsComeInTheOrderOfTheirNumbers() throws {
        let configuration = try read(("id2label", #"{"1":"good","0":"bad","2":"é"}"#), ("num_labels", "7"))
        #expect(configuration.labels == ["bad", "good", "é"])
        #expect(configuration.namesLabels)
        #expect(
            configuration.contradiction
                == "config.json: num_labels is 7, id2label names 3: id2label decides, as in Transformers")
        #expect(try read(("num_labels", "1")).labels == ["LABEL_0"])
        #expect(try read(("num_labels", "null")).labels.count == 2)
        for agreeing in [("num_labels", "2"), ("id2label", #"{"0":"a","1":"b","2":"c"}"#), ("num_labels", "null")] {
            #expect(try read(agreeing).contradiction == nil)
        }
        #expect(try read(("id2label", "{}")).labels.count == 2)
        #expect(try read(("id2label", "null")).labels.count == 2)
    }

    @Test(arguments: [
        #"{"0":"a","2":"b"}"#, #"{"0":"a","00":"b"}"#, #"{"-1":"a"}"#, #"{"+0":"a"}"#, #"{"a":"b"}"#,
    ])
    func refusesLabelsWithoutProperNumbers(text: String) {
        let error = #expect(throws: FileError.self) { try read(("id2label", text)) }
        #expect(error?.problem.hasPrefix("id2label has the key ") == true)
    }

    @Test func aLabelMayBeANumber() throws {
        #expect(try read(("id2label", #"{"0":1,"1":-1}"#)).labels == ["1", "-1"])
        #expect(try read(("id2label", #"{"0":0,"1":1}"#)).namesLabels)
        for value in ["null", "true", "[]", "0.5"] {
            let error = #expect(throws: FileError.self) { try read(("id2label", "{\"0\":\(value)}")) }
            #expect(error?.problem.hasPrefix("id2label names class 0 \(value), expected a text") == true)
        }
    }

    @Test(arguments: [
        ("hidden_size", "25", "hidden_size 25 is not a multiple of num_attention_heads 3: is this file damaged?"),
        ("hidden_size", "0", "hidden_size is 0, expected a whole number from 1 to 1048576"),
        ("hidden_size", "-24", "hidden_size is -24, expected a whole number"),
        ("hidden_size", "24.0", "hidden_size is 24.0, expected a whole number"),
        ("hidden_size", "\"24\"", "hidden_size is \"24\", expected a whole number"),
        ("hidden_size", "9223372036854775807", "hidden_size is 9223372036854775807, expected a whole number"),
        ("hidden_size", "", "has no hidden_size: is this the config.json of a BERT?"),
        ("hidden_size", "null", "has no hidden_size"),
        ("num_attention_heads", "0", "num_attention_heads is 0"),
        ("num_attention_heads", "7", "hidden_size 24 is not a multiple of num_attention_heads 7"),
        ("num_hidden_layers", "0", "num_hidden_layers is 0, expected a whole number from 1 to 1000"),
        ("num_hidden_layers", "100000", "num_hidden_layers is 100000"),
        ("num_labels", "0", "num_labels is 0, expected a whole number from 1 to 1048576"),
        ("num_labels", "-3", "num_labels is -3"), ("num_labels", "1e18", "num_labels is 1e+18"),
        ("num_labels", "\"2\"", "num_labels is \"2\""), ("num_labels", "2.5", "num_labels is 2.5"),
        ("vocab_size", "0", "vocab_size is 0"), ("vocab_size", "1e4", "vocab_size is 10000.0"),
        ("intermediate_size", "0", "intermediate_size is 0"),
        ("intermediate_size", "18446744073709551617", "intermediate_size is 1.8446744073709552e+19"),
        ("max_position_embeddings", "2", "max_position_embeddings is 2"),
        ("type_vocab_size", "0", "type_vocab_size is 0"),
        ("pad_token_id", "37", "pad_token_id is 37, expected a whole number from 0 to 36"),
        ("pad_token_id", "-1", "pad_token_id is -1"),
        ("hidden_dropout_prob", "1", "hidden_dropout_prob is 1, expected a number from 0 up to but below 1"),
        ("attention_probs_dropout_prob", "-0.1", "attention_probs_dropout_prob is -0.1"),
        ("classifier_dropout", "\"0.1\"", "classifier_dropout is \"0.1\""),
        ("layer_norm_eps", "0", "layer_norm_eps is 0, expected a number above 0 and below 1"),
        ("initializer_range", "-0.02", "initializer_range is -0.02"),
        ("hidden_act", "\"swish\"", "hidden_act is swish, expected one of gelu, gelu_new, gelu_pytorch_tanh and relu"),
        ("hidden_act", "3", "hidden_act is 3, expected one of"),
        ("model_type", "\"roberta\"", "model_type is roberta, expected bert"),
        ("position_embedding_type", "\"relative_key\"", "position_embedding_type is relative_key"),
        ("is_decoder", "true", "is_decoder is true: expected an encoder, decoders are not supported"),
        ("add_cross_attention", "true", "add_cross_attention is true"),
    ])
    func refusesWhatCannotBeByName(key: String, text: String, problem: String) {
        let error = #expect(throws: FileError.self) { try read((key, text)) }
        #expect(error?.path == "config.json")
        #expect(error?.problem.hasPrefix(problem) == true, "\(error?.problem ?? "")")
    }

    @Test func refusesSizesWhoseProductIsTooLarge() {
        let error = #expect(throws: FileError.self) {
            try read(
                ("hidden_size", "1048576"), ("num_attention_heads", "1"), ("num_hidden_layers", "1000"),
                ("intermediate_size", "4194304"))
        }
        #expect(error?.problem.contains("expected fewer than 2^40") == true)
    }
}
