package import Checkpoints
package import Files
internal import Kernels

/// A Hugging Face `config.json` that describes a BERT, checked.
package struct BERTConfiguration: Sendable, Equatable {
    package let shape: BERTShape
    /// Class names by number; LABEL_0, LABEL_1, … if the file names none.
    package let labels: [String]
    /// Whether the file names its classes itself.
    package let namesLabels: Bool
    /// Whether the file says how many classes there are, without their names.
    private let countsLabels: Bool
    /// What the file says about its classes twice and differently, one line; nil if it does not.
    package let contradiction: String?
    /// Whether its outputs have names of their own, not LABEL_0, LABEL_1, …
    package var namesOutputs: Bool { !labels.indices.allSatisfy { labels[$0] == "LABEL_\($0)" } }
    package let architectures: [String]
    package let problemType: String?
    package let pooling: Head.Pooling

    /// The kind of answers, from the architecture and problem type; nil if they name none that is known.
    package var head: Head? { architectures.lazy.compactMap { head(architecture: $0, labels: labels.count) }.first }

    private func head(architecture: String, labels: Int) -> Head? {
        switch architecture {
        case "BertForTokenClassification": .tokenClassification(labels: labels)
        case "BertForMaskedLM", "BertForPreTraining": .maskedLanguageModel
        case "BertForSequenceClassification":
            switch problemType {
            case "multi_label_classification": .multiLabel(labels: labels, pooling: pooling)
            case "regression": .regression(targets: labels, pooling: pooling)
            case "single_label_classification": .classification(labels: labels, pooling: pooling)
            default: labels == 1 ? .regression(pooling: pooling) : .classification(labels: labels, pooling: pooling)
            }
        default: nil
        }
    }

    /// The heads in a folder, found from its tensors as Transformers' classes do; the head that the architecture
    /// names is the first.
    ///
    /// If the file does not give the number of classes, the classifier's row count does. Without an architecture, a
    /// classifier is for sentences if the folder has a pooler or uses mean pooling, and otherwise for tokens.
    package func heads(in folder: ModelFolder) -> [Head] {
        var heads: [Head] = []
        if let classifier = folder.tensor("classifier.weight"), let rows = classifier.shape.first {
            let labels = namesLabels || countsLabels ? labels.count : rows
            let poolsSentences =
                pooling == .mean
                || ["bert.pooler.dense.weight", "pooler.dense.weight"].contains { folder.tensor($0) != nil }
            let known = architectures.filter {
                ["BertForTokenClassification", "BertForSequenceClassification"].contains($0)
            }
            let architecture =
                known.first ?? (poolsSentences ? "BertForSequenceClassification" : "BertForTokenClassification")
            if let head = head(architecture: architecture, labels: labels) { heads.append(head) }
        }
        if folder.tensor("cls.predictions.transform.dense.weight") != nil { heads.append(.maskedLanguageModel) }
        return heads.count > 1 && head == .maskedLanguageModel ? heads.reversed() : heads
    }

    /// The names of `count` classes: the file's, or LABEL_0, LABEL_1, … if it names none.
    package func labels(count: Int) -> [String] { namesLabels ? labels : (0..<count).map { "LABEL_\($0)" } }

    /// - Parameter path: of the file, for messages.
    package init(_ json: JSONValue, path: String) throws(FileError) {
        let fields = Fields(json: json, path: path)
        if let type = json["model_type"]?.string, type != "bert" {
            throw FileError(path, "model_type is \(type), expected bert: other encoders are not supported")
        }
        if let kind = json["position_embedding_type"]?.string, kind != "absolute" {
            throw FileError(
                path, "position_embedding_type is \(kind), expected absolute: other models are not supported")
        }
        for key in ["is_decoder", "add_cross_attention"] where json[key]?.bool == true {
            throw FileError(path, "\(key) is true: expected an encoder, decoders are not supported")
        }
        shape = try Self.shape(fields)
        architectures = json["architectures"]?.array?.compactMap(\.string) ?? []
        problemType = json["problem_type"]?.string
        let named = json["apus_pooling"]?.string ?? Head.Pooling.cls.rawValue
        guard let pooling = Head.Pooling(rawValue: named) else {
            throw FileError(path, "apus_pooling is \(named.prefix(40)), expected cls or mean")
        }
        self.pooling = pooling
        let names = try Self.labels(json, path: path)
        namesLabels = names != nil
        countsLabels = json["num_labels"].map { $0 != .null } ?? false
        let count = try fields.whole("num_labels", default: names?.count ?? 2, in: 1...(1 << 20))
        labels = names ?? (0..<count).map { "LABEL_\($0)" }
        contradiction =
            count == labels.count
            ? nil
            : "\(path): num_labels is \(count), id2label names \(labels.count): id2label decides, as in Transformers"
    }

    private static func shape(_ fields: Fields) throws(FileError) -> BERTShape {
        let largest = 1 << 24
        let width = try fields.whole("hidden_size", in: 1...(1 << 20))
        let heads = try fields.whole("num_attention_heads", in: 1...(1 << 12))
        guard width % heads == 0 else {
            throw FileError(
                fields.path,
                "hidden_size \(width) is not a multiple of num_attention_heads \(heads): is this file damaged?")
        }
        let layers = try fields.whole("num_hidden_layers", in: 1...1_000)
        let vocabulary = try fields.whole("vocab_size", in: 1...largest)
        let inner = try fields.whole("intermediate_size", in: 1...(1 << 22))
        let positions = try fields.whole("max_position_embeddings", in: 3...largest)
        let types = try fields.whole("type_vocab_size", default: 2, in: 1...256)
        // In floating point, where nothing overflows.
        let size =
            Double(width)
            * (Double(vocabulary + positions + types) + Double(layers) * (4 * Double(width) + 2 * Double(inner)))
        guard size < 0x1p40 else {
            throw FileError(fields.path, "describes a model of \(size) parameters, expected fewer than 2^40")
        }
        let hidden = try fields.rate("hidden_dropout_prob", default: 0.1)
        return BERTShape(
            vocabulary: vocabulary, width: width, layers: layers, heads: heads, feedForward: inner,
            positions: positions, types: types,
            epsilon: Float(try fields.positive("layer_norm_eps", default: 1e-12)), activation: try activation(fields),
            hiddenDropout: hidden,
            attentionDropout: try fields.rate("attention_probs_dropout_prob", default: 0.1),
            headDropout: try fields.rate("classifier_dropout", default: hidden),
            initializerRange: try fields.positive("initializer_range", default: 0.02),
            padding: try padding(fields, vocabulary))
    }

    /// Token 0 if the file does not say; null means that there is none.
    private static func padding(_ fields: Fields, _ vocabulary: Int) throws(FileError) -> Int? {
        if let value = fields.json["pad_token_id"], value == .null { return nil }
        return try fields.whole("pad_token_id", default: 0, in: 0...(vocabulary - 1))
    }

    private static func activation(_ fields: Fields) throws(FileError) -> Activation {
        guard let value = fields.json["hidden_act"], value != .null else { return .gelu }
        return switch value.string ?? value.line {
        case "gelu", "gelu_python": .gelu
        case "gelu_new", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_fast", "gelu_accurate": .geluTanh
        case "relu": .relu
        case let other:
            throw FileError(
                fields.path,
                "hidden_act is \(other.prefix(40)), expected one of gelu, gelu_new, gelu_pytorch_tanh and relu: "
                    + "choose another model"
            )
        }
    }

    /// The values of id2label in the order of their numbers.
    private static func labels(_ json: JSONValue, path: String) throws(FileError) -> [String]? {
        guard let members = json["id2label"]?.members, !members.isEmpty else { return nil }
        var names = [String](repeating: "", count: members.count)
        for member in members {
            guard let id = Int(member.key), String(id) == member.key, names.indices.contains(id) else {
                throw FileError(
                    path,
                    "id2label has the key \(member.key.prefix(40)), expected numbers from 0 to \(members.count - 1) "
                        + "with names"
                )
            }
            guard let name = member.value.string ?? member.value.integer.map({ String($0) }) else {
                throw FileError(
                    path,
                    "id2label names class \(id) \(member.value.line.prefix(40)), expected a text or a whole number: "
                        + "correct it"
                )
            }
            names[id] = name
        }
        return names
    }

    private struct Fields {
        let json: JSONValue
        let path: String

        func whole(_ key: String, default missing: Int? = nil, in range: ClosedRange<Int>) throws(FileError) -> Int {
            guard let value = json[key], value != .null else {
                guard let missing else { throw FileError(path, "has no \(key): is this the config.json of a BERT?") }
                return missing
            }
            guard let number = value.integer, range.contains(number) else {
                throw FileError(
                    path,
                    "\(key) is \(value.line.prefix(40)), expected a whole number from \(range.lowerBound) to "
                        + "\(range.upperBound)"
                )
            }
            return number
        }

        func rate(_ key: String, default missing: Double) throws(FileError) -> Double {
            guard let value = json[key], value != .null else { return missing }
            guard let number = value.double, number >= 0, number < 1 else {
                throw FileError(path, "\(key) is \(value.line.prefix(40)), expected a number from 0 up to but below 1")
            }
            return number
        }

        func positive(_ key: String, default missing: Double) throws(FileError) -> Double {
            guard let value = json[key], value != .null else { return missing }
            guard let number = value.double, number > 0, number < 1 else {
                throw FileError(path, "\(key) is \(value.line.prefix(40)), expected a number above 0 and below 1")
            }
            return number
        }
    }
}
