internal import BERT
internal import Configuration
package import Files
internal import Learning
internal import TextData

extension RunInputs {
    /// The trained model's config.json: the source's, with the head it has now.
    package var exportedConfiguration: JSONValue {
        var json = sourceJSON
        json["architectures"] = .array([.string(model.head.architecture)])
        json["model_type"] = .string("bert")
        json["num_labels"] = nil
        json["vocab_size"] = .integer(model.shape.vocabulary)
        json["max_position_embeddings"] = .integer(model.shape.positions)
        json["torch_dtype"] = nil
        json["dtype"] = .string("float32")
        json["problem_type"] = model.head.problemType.map { .string($0) }
        json["apus_pooling"] = model.head.pooling == .mean ? .string(Head.Pooling.mean.rawValue) : nil
        json["apus_whole_word_masking"] =
            configuration.wholeWordMasking && model.head == .maskedLanguageModel ? .bool(true) : nil
        if model.head == .maskedLanguageModel {
            // The export has no decoder of its own.
            if json["tie_word_embeddings"]?.bool == false { json["tie_word_embeddings"] = .bool(true) }
        } else {
            let names = outputNames ?? (0..<model.head.outputs(model.shape)).map { "LABEL_\($0)" }
            json["id2label"] = .object(names.enumerated().map { .init(String($0), .string($1)) })
            json["label2id"] = .object(names.enumerated().map { .init($1, .integer($0)) })
        }
        json["apus_text_column"] = columns.text.map { .string($0) }
        json["apus_pair_column"] = columns.pair.map { .string($0) }
        json["apus_label_column"] = columns.label.map { .string($0) }
        json["apus_pairs"] = .bool(datasets[.train]?.types != nil)
        json["apus_max_length"] = .integer(configuration.lengthLimit)
        return json
    }
}

extension Head {
    /// The class of Transformers that loads a model with this head.
    fileprivate var architecture: String {
        switch self {
        case .classification, .regression, .multiLabel: "BertForSequenceClassification"
        case .tokenClassification: "BertForTokenClassification"
        case .maskedLanguageModel: "BertForMaskedLM"
        }
    }

    fileprivate var problemType: String? {
        switch self {
        case .classification: "single_label_classification"
        case .regression: "regression"
        case .multiLabel: "multi_label_classification"
        case .tokenClassification, .maskedLanguageModel: nil
        }
    }
}
