internal import BERT
package import Checkpoints
internal import TextData

extension RunInputs {
    /// The trained model's config.json: the source's, with the head it has now.
    package var exportedConfiguration: JSONValue {
        var json = sourceJSON
        json["architectures"] = .array([.string("BertForSequenceClassification")])
        json["model_type"] = .string("bert")
        json["num_labels"] = nil
        json["vocab_size"] = .integer(model.shape.vocabulary)
        json["max_position_embeddings"] = .integer(model.shape.positions)
        json["torch_dtype"] = nil
        json["dtype"] = .string("float32")
        let names = labels?.names ?? ["LABEL_0"]
        json["id2label"] = .object(names.enumerated().map { .init(String($0), .string($1)) })
        json["label2id"] = .object(names.enumerated().map { .init($1, .integer($0)) })
        json["problem_type"] = .string(labels == nil ? "regression" : "single_label_classification")
        json["apus_max_length"] = .integer(configuration.maxLength)
        return json
    }
}
