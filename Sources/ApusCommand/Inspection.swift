internal import BERT
internal import Checkpoints
internal import Files
internal import Foundation
internal import Wording

/// The output of `apus inspect` for a path, depending on what it finds there.
enum Inspection {
    /// - Throws: ``FileError`` if the path is nothing that inspect knows, or is damaged.
    static func lines(_ path: String) throws(FileError) -> [String] {
        guard FileSystem.isFolder(path) else { return try fileLines(path) }
        func holds(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path + "/" + name) }
        if holds("config.json") { return try modelLines(path) }
        if holds("manifest.json") { return try checkpointLines(path) }
        if ["checkpoints", "metrics.jsonl", "config.yaml"].contains(where: holds) { return runLines(path) }
        throw FileError(
            path,
            "has no config.json, manifest.json or checkpoints: expected a model folder, a checkpoint or a run's folder")
    }

    private static func fileLines(_ path: String) throws(FileError) -> [String] {
        let file = try SafetensorsFile(path)
        let metadata = file.header.metadata.sorted { $0.key < $1.key }
        return metadata.map { shown("\($0): \($1)") } + table(file.tensors)
    }

    private static func modelLines(_ path: String) throws(FileError) -> [String] {
        let folder = try ModelFolder(path)
        let configuration = try BERTConfiguration(folder.configuration, path: path + "/config.json")
        let shape = configuration.shape
        let sizes = [
            (shape.layers, shape.layers == 1 ? "layer" : "layers"), (shape.width, "wide"),
            (shape.heads, shape.heads == 1 ? "head" : "heads"), (shape.feedForward, "feed-forward"),
            (shape.vocabulary, "tokens"), (shape.positions, "positions"),
        ]
        let name = configuration.architectures.isEmpty ? "BERT" : configuration.architectures.joined(separator: ", ")
        let summary = "\(name): " + sizes.map { "\(grouped($0)) \($1)" }.joined(separator: ", ")
        let labels = configuration.namesLabels ? ["labels: " + configuration.labels.joined(separator: ", ")] : []
        let doubts = [configuration.contradiction].compactMap { $0 }
        return ([summary] + labels + doubts).map(shown) + table(folder.tensors)
    }

    private static func checkpointLines(_ path: String) throws(FileError) -> [String] {
        try CheckpointStore.verify(path)
        var lines = ["complete: every file matches the manifest"]
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter {
            $0.hasSuffix(".safetensors")
        }
        for name in names.sorted() { lines += ["", name] + table(try SafetensorsFile(path + "/" + name).tensors) }
        return lines
    }

    private static func runLines(_ path: String) -> [String] {
        let store = CheckpointStore(folder: path + "/checkpoints")
        let (found, passedOver) = store.newestWhole()
        let newest = found.map { "newest whole checkpoint: \($0.path)" } ?? "no whole checkpoint"
        let all = store.savedSteps.map { "step-\($0)" }
        return ["checkpoints: " + (all.isEmpty ? "none" : all.joined(separator: ", ")), newest]
            + passedOver.map { "passed over \($0.name): \($0.reason)" }
    }

    private static func table(_ tensors: [TensorEntry]) -> [String] {
        TensorTable(
            rows: tensors.map {
                .init(name: shown($0.name), kind: $0.type.description, shape: $0.shape, byteCount: $0.range.count)
            }
        ).lines
    }

    /// The text without characters that would move a terminal's cursor.
    private static func shown(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }))
    }
}
