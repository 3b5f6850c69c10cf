internal import Configuration
internal import Files
internal import Foundation
package import Wording

/// Explains a path that is not a model folder: what it is, and what was probably meant.
package enum ModelPath {
    /// - Parameters:
    ///   - path: as given to `--model`, or absolute.
    ///   - needsModel: whether a folder without config.json is refused; a tokenizer's folder has none.
    /// - Throws: ``InputError`` with one line.
    package static func check(_ path: String, needsModel: Bool = true) throws(InputError) {
        var isFolder: ObjCBool = false
        guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            if let name = nameInAddress(path) {
                throw InputError(
                    "\(path): is an address, and --model takes a folder or a name: give --model \(name)")
            }
            throw InputError(missing(path))
        }
        guard isFolder.boolValue else {
            let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
            let isInside = exists(parent + "/config.json")
            throw InputError(
                "\(path): is a file, not a model folder: "
                    + (isInside ? "give the folder that it is in, --model \(parent)" : "give --model a folder"))
        }
        if needsModel, !exists(path + "/config.json") { throw InputError(withoutConfiguration(path)) }
        for name in names(in: path) where GitPointer.isAt("\(path)/\(name)") {
            throw InputError("\(path)/\(name): \(GitPointer.problem)")
        }
    }

    /// Bytes of a folder's files of weights, which are mapped as they are.
    package static func weightBytes(in folder: String) -> Int {
        names(in: folder).filter { $0.hasSuffix(".safetensors") }.reduce(0) { sum, name in
            // Of a link the file that it leads to, as in the hub's cache.
            let file = URL(fileURLWithPath: "\(folder)/\(name)").resolvingSymlinksInPath().path
            let attributes = try? FileManager.default.attributesOfItem(atPath: file)
            return sum + ((attributes?[.size] as? NSNumber)?.intValue ?? 0)
        }
    }

    private static func missing(_ path: String) -> String {
        let url = URL(fileURLWithPath: path).standardizedFileURL
        if let near = near(url.path) { return "\(path): does not exist: did you mean \(near)?" }
        let name = url.lastPathComponent
        let usual = DefaultFiles(environment: ProcessInfo.processInfo.environment).model
        if usual.hasSuffix("/" + name), exists(usual + "/config.json") {
            return "\(path): does not exist: did you mean the default model, \(usual)? It is used without --model"
        }
        return "\(path): there is no such model folder: check --model, or run scripts/fetch.sh for the default one"
    }

    /// The model folder that was probably meant by a path to nothing: each part of the path may be misspelled.
    static func near(_ path: String) -> String? {
        let parts = path.split(separator: "/").map { String($0) }
        var found = path.hasPrefix("/") ? "/" : ""
        for (index, name) in parts.enumerated() {
            let parent = found
            func joined(_ name: String) -> String {
                parent.isEmpty || parent == "/" ? parent + name : "\(parent)/\(name)"
            }
            func leadsOn(_ name: String) -> Bool {
                index == parts.count - 1 ? model(at: joined(name)) != nil : FileSystem.isFolder(joined(name))
            }
            guard !leadsOn(name) else {
                found = joined(name)
                continue
            }
            func plain(_ name: String) -> String { name.lowercased().replacing("_", with: "-") }
            let folders = names(in: parent.isEmpty ? "." : parent).filter(leadsOn)
            guard let near = NearMiss.of(name, among: folders.map(plain)),
                let folder = folders.first(where: { plain($0) == near })
            else { return nil }
            found = joined(folder)
        }
        return model(at: found)
    }

    /// The path itself if it is a model folder, or the better model of the run folder that it is.
    private static func model(at path: String) -> String? {
        ["", "/model-best", "/model"].map { path + $0 }.first { exists($0 + "/config.json") }
    }

    /// The model that the address of a hub's page names; nil for anything else.
    private static func nameInAddress(_ path: String) -> String? {
        guard let match = path.firstMatch(of: /https?:\/{1,2}[A-Za-z0-9.:-]+\/([A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)?)/)
        else { return nil }
        let parts = match.1.split(separator: "/")
        let isPage = parts.count == 2 && ["tree", "blob", "resolve", "raw"].contains(parts[1])
        return isPage ? String(parts[0]) : String(match.1)
    }

    private static func withoutConfiguration(_ path: String) -> String {
        if exists(path + "/adapter_config.json") {
            let merged = URL(fileURLWithPath: path).deletingLastPathComponent().path + "/model"
            return "\(path): has adapters without their model: "
                + (exists(merged + "/config.json")
                    ? "the merged model is in \(merged)" : "give the folder of a merged model")
        }
        if let model = model(at: path) { return "\(path): is a run folder: give one of its models, --model \(model)" }
        if let run = run(ofCheckpoint: path) {
            return "\(path): is a checkpoint, for --resume only: "
                + (model(at: run).map { "give one of its run's models, --model \($0)" }
                    ?? "its run has no model yet, 'apus train --resume --output \(run)' resumes it")
        }
        if exists(path + "/config.yaml") || exists(path + "/journal") {
            return
                "\(path): is the folder of a run that has no model yet: "
                + "'apus train --resume --output \(path)' resumes it"
        }
        let snapshots = names(in: path + "/snapshots").map { "\(path)/snapshots/\($0)" }
        let below = (names(in: path).map { "\(path)/\($0)" } + snapshots).filter { exists($0 + "/config.json") }
        if let found = below.first { return "\(path): has no config.json, but \(found) does: give that folder" }
        return "\(path): has no config.json: a model folder in Hugging Face's layout has one"
    }

    /// The run folder of a checkpoint, or of the folder of a run's checkpoints.
    private static func run(ofCheckpoint path: String) -> String? {
        let above = URL(fileURLWithPath: path).standardizedFileURL.deletingLastPathComponent()
        if exists(path + "/manifest.json") { return above.deletingLastPathComponent().path }
        return names(in: path).contains { exists("\(path)/\($0)/manifest.json") } ? above.path : nil
    }

    private static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    private static func names(in path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }
}
