package import Files
internal import Foundation

/// Writes a model folder that Hugging Face loads.
package enum ModelExport {
    /// A token that a tokenizer adds to its vocabulary.
    package struct AddedToken: Sendable {
        package let text: String
        package let id: Int
        /// Whether it is matched in the normalized text.
        package let isNormalized: Bool
        /// Whether it only matches between other words.
        package let isSingleWord: Bool

        package init(_ text: String, id: Int, isNormalized: Bool, isSingleWord: Bool = false) {
            self.text = text
            self.id = id
            self.isNormalized = isNormalized
            self.isSingleWord = isSingleWord
        }
    }

    /// Writes beside the target and replaces the folder atomically.
    ///
    /// - Parameters:
    ///   - configuration: config.json, as it will be written.
    ///   - tokenizerFolder: where the tokenizer's files are copied from, byte for byte except for the added `words`.
    ///   - tokenizerSettings: the tokenizer's settings; keys that tokenizer_config.json lacks are added to it, because
    ///     Transformers does not look elsewhere for them.
    ///   - words: added to the tokenizer, each with its id.
    ///   - tokens: all that the tokenizer adds to its vocabulary.
    ///   - card: README.md, as it will be written.
    /// - Throws: ``FileError``; the target is unchanged.
    package static func write(
        _ tensors: [SafetensorsWriter.Tensor], configuration: JSONValue, tokenizerFolder: String,
        tokenizerSettings: JSONValue,
        words: [(text: String, id: Int)] = [], among tokens: [AddedToken] = [], card: String? = nil,
        to path: String, steps: any FileSteps = PlainFileSteps()
    ) throws(FileError) {
        try replace(path, steps: steps) { (partial) throws(FileError) in
            try FileSystem.replace(partial + "/config.json", with: Array(configuration.text.utf8), steps: steps)
            try SafetensorsWriter.write(tensors, to: partial + "/model.safetensors", steps: steps)
            try copyTokenizer(from: tokenizerFolder, tokenizerSettings, to: partial, steps: steps)
            if !words.isEmpty { try TokenizerExport.add(words, among: tokens, to: partial, steps: steps) }
            if let card { try FileSystem.replace(partial + "/" + cardName, with: Array(card.utf8), steps: steps) }
        }
    }

    /// The model card of a model folder.
    package static let cardName = "README.md"

    /// Makes the tokenizer that `write` would, and removes it again.
    /// - Throws: ``FileError`` if that fails.
    package static func check(
        tokenizerFolder: String, tokenizerSettings: JSONValue, words: [(text: String, id: Int)],
        among tokens: [AddedToken] = []
    ) throws(FileError) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "apus-tokenizer-\(UUID().uuidString)").path
        try FileSystem.makeFolder(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try copyTokenizer(from: tokenizerFolder, tokenizerSettings, to: folder, steps: PlainFileSteps())
        try TokenizerExport.add(words, among: tokens, to: folder, steps: PlainFileSteps())
    }

    /// Writes adapters as PEFT does, atomically.
    ///
    /// - Parameter configuration: adapter_config.json, as it will be written.
    package static func writeAdapters(
        _ tensors: [SafetensorsWriter.Tensor], configuration: JSONValue, to path: String,
        steps: any FileSteps = PlainFileSteps()
    ) throws(FileError) {
        try replace(path, steps: steps) { (partial) throws(FileError) in
            try FileSystem.replace(partial + "/adapter_config.json", with: Array(configuration.text.utf8), steps: steps)
            try SafetensorsWriter.write(tensors, to: partial + "/adapter_model.safetensors", steps: steps)
        }
    }

    /// Replaces the existing folder by one that `fill` fills.
    private static func replace(_ path: String, steps: any FileSteps, _ fill: (String) throws(FileError) -> Void)
        throws(FileError)
    {
        let partial = path + ".partial"
        try? FileManager.default.removeItem(atPath: partial)
        do throws(FileError) {
            try FileSystem.makeFolder(partial, steps: steps)
            try fill(partial)
            try FileSystem.syncFolder(partial, steps: steps)
            try FileSystem.replaceFolder(path, with: partial, steps: steps)
        } catch {
            try? FileManager.default.removeItem(atPath: partial)
            throw error
        }
    }

    private static func copyTokenizer(
        from source: String, _ settings: JSONValue, to target: String, steps: any FileSteps
    ) throws(FileError) {
        for name in ModelFolder.tokenizerFiles where FileManager.default.fileExists(atPath: source + "/" + name) {
            try FileSystem.replace(target + "/" + name, with: FileSystem.read(source + "/" + name), steps: steps)
        }
        let path = target + "/tokenizer_config.json"
        var configuration = JSONValue.object([])
        if FileManager.default.fileExists(atPath: path) {
            guard let found = try? JSONValue(parsing: FileSystem.read(path, limit: ModelFolder.longestJSON)),
                found.members != nil
            else { return }
            configuration = found
        }
        let missing = (settings.members ?? []).filter { configuration[$0.key] == nil }
        guard !missing.isEmpty else { return }
        for member in missing { configuration[member.key] = member.value }
        try FileSystem.replace(path, with: Array(configuration.text.utf8), steps: steps)
    }
}
