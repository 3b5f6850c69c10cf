internal import Files

/// The files that a model needs, and which of them a folder lacks.
enum ModelFiles {
    static let configuration = "config.json"
    static let weights = "model.safetensors"
    static let index = "model.safetensors.index.json"
    /// Weights that only a program of its own should read.
    static let pickle = "pytorch_model.bin"
    /// One of these has the vocabulary.
    static let vocabularies = ["vocab.txt", "tokenizer.json"]

    static let mostShards = 1_000
    /// Longest tokenizer file in bytes.
    static let longestTokenizer = 64 << 20

    /// What is needed of a model.
    package enum Need: Sendable { case model, tokenizer }

    /// The names in an index of weights, each once, in order.
    /// - Throws: ``HubError`` for an index without files, and for a name that is not one of a file in the folder.
    static func shards(_ bytes: [UInt8], path: String) throws(HubError) -> [String] {
        let map: JSONValue?
        do { map = try JSONValue(parsing: bytes)["weight_map"] } catch {
            throw HubError("\(path): is not JSON (\(error)): is this repository whole?")
        }
        let names = Set((map?.members ?? []).compactMap(\.value.string))
        guard !names.isEmpty, names.count <= mostShards else {
            throw HubError(
                "\(path): names \(names.count) files, expected 1 to \(mostShards): is this repository whole?")
        }
        if let name = names.first(where: { !isShard($0) }) {
            throw HubError(
                "\(path): names the file '\(name.prefix(80))', expected names such as "
                    + "model-00001-of-00002.safetensors: do not use this repository")
        }
        return names.sorted()
    }

    /// Letters, digits and `._-`, and the suffix of safetensors: no separator, no `..`, no control character.
    static func isShard(_ name: String) -> Bool {
        name.utf8.count <= 200 && name.wholeMatch(of: /[A-Za-z0-9_][A-Za-z0-9._-]*\.safetensors/) != nil
            && !name.contains("..")
    }

    /// What a folder lacks, given which files it has; nil if it has all.
    /// - Parameter shards: the names in the folder's index; called if the index is there.
    static func missing(_ need: Need, has: (String) -> Bool, shards: () throws(HubError) -> [String]) throws(HubError)
        -> String?
    {
        guard vocabularies.contains(where: has) else { return vocabularies.joined(separator: " or ") }
        guard need == .model else { return nil }
        guard has(configuration) else { return configuration }
        if has(weights) { return nil }
        guard has(index) else { return weights }
        return try shards().first { !has($0) }
    }
}
