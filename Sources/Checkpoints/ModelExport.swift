internal import Foundation

/// Writes a model folder that Hugging Face loads.
package enum ModelExport {
    /// Writes beside the target and puts the folder in its place in one step.
    ///
    /// - Parameters:
    ///   - configuration: config.json, as it is to be written.
    ///   - tokenizerFolder: where the tokenizer's files are copied from, byte for byte but for what `words` change.
    ///   - words: added to the tokenizer, each with its id.
    /// - Throws: ``FileError``; the target is as it was.
    package static func write(
        _ tensors: [SafetensorsWriter.Tensor], configuration: JSONValue, tokenizerFolder: String, words: [(text: String, id: Int)] = [],
        to path: String, steps: any FileSteps = PlainFileSteps()
    ) throws(FileError) {
        try replace(path, steps: steps) { (partial) throws(FileError) in
            try FileSystem.replace(partial + "/config.json", with: Array(configuration.text.utf8), steps: steps)
            try SafetensorsWriter.write(tensors, to: partial + "/model.safetensors", steps: steps)
            try copyTokenizer(from: tokenizerFolder, to: partial, steps: steps)
            if !words.isEmpty { try TokenizerExport.add(words, to: partial, steps: steps) }
        }
    }

    /// Writes adapters as PEFT does, in one step.
    ///
    /// - Parameter configuration: adapter_config.json, as it is to be written.
    package static func writeAdapters(
        _ tensors: [SafetensorsWriter.Tensor], configuration: JSONValue, to path: String, steps: any FileSteps = PlainFileSteps()
    ) throws(FileError) {
        try replace(path, steps: steps) { (partial) throws(FileError) in
            try FileSystem.replace(partial + "/adapter_config.json", with: Array(configuration.text.utf8), steps: steps)
            try SafetensorsWriter.write(tensors, to: partial + "/adapter_model.safetensors", steps: steps)
        }
    }

    /// Puts a folder that `fill` fills in the place of the one that is there.
    private static func replace(_ path: String, steps: any FileSteps, _ fill: (String) throws(FileError) -> Void) throws(FileError) {
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

    private static func copyTokenizer(from source: String, to target: String, steps: any FileSteps) throws(FileError) {
        var found: Set<String> = []
        for name in ModelFolder.tokenizerFiles where FileManager.default.fileExists(atPath: source + "/" + name) {
            try FileSystem.replace(target + "/" + name, with: FileSystem.read(source + "/" + name), steps: steps)
            found.insert(name)
        }
        // Without it Transformers would have to guess the tokenizer from the model's type.
        if !found.contains("tokenizer_config.json") {
            let text = JSONValue.object([
                .init("tokenizer_class", .string("BertTokenizer")), .init("do_lower_case", .bool(true)), .init("strip_accents", .null),
                .init("tokenize_chinese_chars", .bool(true)), .init("unk_token", .string("[UNK]")), .init("sep_token", .string("[SEP]")),
                .init("pad_token", .string("[PAD]")), .init("cls_token", .string("[CLS]")), .init("mask_token", .string("[MASK]")),
            ]).text
            try FileSystem.replace(target + "/tokenizer_config.json", with: Array(text.utf8), steps: steps)
        }
    }
}
