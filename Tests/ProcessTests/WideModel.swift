import Foundation
import Testing

/// A model folder of other sizes than those of the ``SmallJob`` whose data it fits. All weights are 0.
struct WideModel {
    let path: String
    /// Size of the weights.
    let weightKiB: Int

    init(_ job: SmallJob, width: Int = 768, feedForward: Int = 3_072, layers: Int = 2) throws {
        path = job.path("wide")
        try FileManager.default.copyItem(atPath: job.model, toPath: path)
        var configuration = try #require(
            try JSONSerialization.jsonObject(with: job.bytes("wide/config.json")) as? [String: Any])
        configuration["hidden_size"] = width
        configuration["intermediate_size"] = feedForward
        configuration["num_hidden_layers"] = layers
        configuration["num_attention_heads"] = width / 64
        try JSONSerialization.data(withJSONObject: configuration).write(to: job.folder.url("wide/config.json"))
        let (rows, positions) = (
            try #require(configuration["vocab_size"] as? Int),
            try #require(configuration["max_position_embeddings"] as? Int)
        )
        var tensors: [(name: String, shape: [Int])] = [
            ("embeddings.word_embeddings.weight", [rows, width]),
            ("embeddings.position_embeddings.weight", [positions, width]),
            ("embeddings.token_type_embeddings.weight", [2, width]),
        ]
        func linear(_ name: String, _ outputs: Int, _ inputs: Int) {
            tensors += [("\(name).weight", [outputs, inputs]), ("\(name).bias", [outputs])]
        }
        func norm(_ name: String) { tensors += [("\(name).weight", [width]), ("\(name).bias", [width])] }
        norm("embeddings.LayerNorm")
        for layer in 0..<layers {
            let name = "encoder.layer.\(layer)"
            for part in ["query", "key", "value"] { linear("\(name).attention.self.\(part)", width, width) }
            linear("\(name).attention.output.dense", width, width)
            norm("\(name).attention.output.LayerNorm")
            linear("\(name).intermediate.dense", feedForward, width)
            linear("\(name).output.dense", width, feedForward)
            norm("\(name).output.LayerNorm")
        }
        linear("pooler.dense", width, width)
        linear("classifier", 3, width)
        weightKiB = try Self.write(
            tensors.map { ($0.name.hasPrefix("classifier.") ? $0.name : "bert." + $0.name, $0.shape) },
            to: job.folder.url("wide/model.safetensors"))
    }

    /// - Returns: the size in KiB.
    private static func write(_ tensors: [(name: String, shape: [Int])], to file: URL) throws -> Int {
        var header: [String: Any] = [:]
        var end = 0
        for (name, shape) in tensors {
            let bytes = 4 * shape.reduce(1, *)
            header[name] = ["dtype": "F32", "shape": shape, "data_offsets": [end, end + bytes]]
            end += bytes
        }
        let text = try JSONSerialization.data(withJSONObject: header)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
        try (Data(length) + text + Data(count: end)).write(to: file)
        return end >> 10
    }
}
