package import Files
internal import Foundation

/// The checkpoints of one run: `step-N` folders, each complete or absent.
package struct CheckpointStore: Sendable {
    package let folder: String
    private let steps: any FileSteps

    package init(folder: String, steps: any FileSteps = PlainFileSteps()) {
        self.folder = folder
        self.steps = steps
    }

    /// A complete checkpoint.
    package struct Found: Sendable, Equatable {
        package let step: Int
        package let path: String
    }

    /// An incomplete or damaged one, and why.
    package struct PassedOver: Sendable, Equatable {
        package let name: String
        package let reason: String
    }

    /// Writes a checkpoint beside the others and renames it into place once all of it is on the disk.
    ///
    /// The manifest with size and SHA-256 of each file is written last. After an error the earlier checkpoints are as
    /// they were.
    /// - Parameters:
    ///   - keep: how many remain, including this one.
    ///   - write: writes the files into the folder it is given.
    package func save(step: Int, keep: Int, write: (_ folder: String, _ steps: any FileSteps) throws(FileError) -> Void)
        throws(FileError)
    {
        try FileSystem.makeFolder(folder, steps: steps)
        for name in names(suffix: ".partial") { try? FileManager.default.removeItem(atPath: folder + "/" + name) }
        let (partial, final) = ("\(folder)/step-\(step).partial", "\(folder)/step-\(step)")
        do throws(FileError) {
            try FileSystem.makeFolder(partial, steps: steps)
            try write(partial, steps)
            try writeManifest(partial)
            try FileSystem.syncFolder(partial, steps: steps)
            try FileSystem.replaceFolder(final, with: partial, steps: steps)
        } catch {
            try? FileManager.default.removeItem(atPath: partial)
            throw error
        }
        removeOld(keep: max(1, keep), newest: step)
    }

    /// The newest checkpoint whose files all match its manifest, and newer ones that were skipped.
    package func newestWhole() -> (found: Found?, passedOver: [PassedOver]) {
        var passedOver = names(suffix: ".partial").sorted().map { PassedOver(name: $0, reason: "was not finished") }
        for step in savedSteps.reversed() {
            let path = "\(folder)/step-\(step)"
            do throws(FileError) {
                try Self.verify(path)
                return (Found(step: step, path: path), passedOver)
            } catch {
                passedOver.append(PassedOver(name: "step-\(step)", reason: error.description))
            }
        }
        return (nil, passedOver)
    }

    /// Steps of all checkpoints by their names, ascending.
    package var savedSteps: [Int] {
        names(suffix: "").compactMap { name in
            name.hasPrefix("step-")
                ? Int(name.dropFirst(5)).flatMap { $0 >= 0 && "step-\($0)" == name ? $0 : nil } : nil
        }.sorted()
    }

    private func names(suffix: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasSuffix(suffix) }
    }

    /// Removes the oldest checkpoints, and with 0 all of them with their folder.
    package func prune(keep: Int) {
        for step in savedSteps.dropLast(keep) { remove(step) }
        if keep == 0 { try? FileManager.default.removeItem(atPath: folder) }
    }

    private func removeOld(keep: Int, newest: Int) {
        // Later checkpoints belong to a course that a resumed run has abandoned.
        for step in savedSteps where step > newest { remove(step) }
        for step in savedSteps.dropLast(keep) { remove(step) }
    }

    /// Renames it first, so that a partly removed checkpoint never has a checkpoint's name.
    private func remove(_ step: Int) {
        let (path, going) = ("\(folder)/step-\(step)", "\(folder)/step-\(step).removed.partial")
        guard (try? FileSystem.rename(path, to: going, steps: steps)) != nil else { return }
        try? FileManager.default.removeItem(atPath: going)
    }

    private func writeManifest(_ path: String) throws(FileError) {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
        var files: [JSONValue.Member] = []
        for name in names {
            let size = try MappedFile(path + "/" + name).count
            let digest = try Digests.file(path + "/" + name)
            files.append(.init(name, .object([.init("bytes", .integer(size)), .init("sha256", .string(digest))])))
        }
        let manifest = JSONValue.object([.init("version", .integer(1)), .init("files", .object(files))])
        try FileSystem.replace(path + "/manifest.json", with: Array(manifest.text.utf8), steps: steps)
    }

    /// - Throws: the defect of the checkpoint.
    package static func verify(_ path: String) throws(FileError) {
        let manifestPath = path + "/manifest.json"
        let manifest: JSONValue
        do { manifest = try JSONValue(parsing: try FileSystem.read(manifestPath, limit: 1 << 20)) } catch {
            throw FileError(manifestPath, "is missing or not JSON: use another checkpoint")
        }
        guard manifest["version"]?.integer == 1 else {
            throw FileError(
                manifestPath,
                "is of version \(manifest["version"]?.line.prefix(20) ?? "none"), expected 1: was it written by "
                    + "another version of Apus?"
            )
        }
        guard let files = manifest["files"]?.members, !files.isEmpty else {
            throw FileError(manifestPath, "lists no files: use another checkpoint")
        }
        for file in files {
            guard !file.key.contains("/"), let size = file.value["bytes"]?.integer,
                let digest = file.value["sha256"]?.string
            else {
                throw FileError(manifestPath, "has no valid entry for \(file.key.prefix(80)): use another checkpoint")
            }
            let found = try MappedFile(path + "/" + file.key).count
            guard found == size else {
                throw FileError(
                    path + "/" + file.key, "has \(found) bytes, its manifest says \(size): use another checkpoint")
            }
            guard try Digests.file(path + "/" + file.key) == digest else {
                throw FileError(
                    path + "/" + file.key, "differs from the SHA-256 in its manifest: use another checkpoint")
            }
        }
    }
}
