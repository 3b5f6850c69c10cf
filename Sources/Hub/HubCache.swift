internal import Checkpoints
internal import Files
internal import Foundation

/// The folder in which Python's `huggingface_hub` keeps models, and this program too.
///
/// `models--ORGANIZATION--NAME/` has `refs/REVISION`, a file with a commit; `blobs/HASH`, the contents; and
/// `snapshots/COMMIT/FILE`, links to those. `.locks/` has a lock for each blob that is being written.
/// Source: "Understand caching" in the documentation of huggingface_hub.
struct HubCache: Sendable {
    let root: String

    func folder(_ name: ModelName) -> String { "\(root)/\(name.folder)" }
    func snapshot(_ name: ModelName, _ commit: Commit) -> String { "\(folder(name))/snapshots/\(commit.digits)" }
    func blob(_ name: ModelName, _ hash: BlobHash) -> String { "\(folder(name))/blobs/\(hash.digits)" }
    private func reference(_ name: ModelName) -> String { "\(folder(name))/refs/\(name.revision)" }

    /// A model as the cache has it.
    enum Found: Equatable {
        case absent
        /// Some file is missing or damaged: why, in words that follow the snapshot's path.
        case incomplete(Commit, reason: String)
        case whole(Commit)
    }

    /// Looks for a model and compares its files with their hashes.
    ///
    /// - Complexity: O(bytes): the weights are read once.
    func find(_ name: ModelName, _ need: ModelFiles.Need) throws(HubError) -> Found {
        guard let commit = commit(name) else { return .absent }
        let path = snapshot(name, commit)
        guard FileSystem.isFolder(path) else { return .absent }
        func has(_ file: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(file)") }
        let index = "\(path)/\(ModelFiles.index)"
        let missing = try ModelFiles.missing(need, has: has) { () throws(HubError) in
            try Self.shards(index)
        }
        if let missing { return .incomplete(commit, reason: "has no \(missing)") }
        for file in try files(path, need) {
            if let reason = try damage("\(path)/\(file)") { return .incomplete(commit, reason: "\(file) \(reason)") }
        }
        return .whole(commit)
    }

    /// The commit of a revision: itself, or what its file under `refs` says.
    func commit(_ name: ModelName) -> Commit? {
        if let commit = Commit(name.revision) { return commit }
        guard let bytes = try? FileSystem.read(reference(name), limit: 128) else { return nil }
        return Commit(String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// The files of a snapshot that are read, by name.
    private func files(_ path: String, _ need: ModelFiles.Need) throws(HubError) -> [String] {
        func has(_ file: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(file)") }
        let small = [ModelFiles.configuration] + ModelFolder.tokenizerFiles
        guard need == .model else { return small.filter(has) }
        if has(ModelFiles.weights) { return (small + [ModelFiles.weights]).filter(has) }
        return (small + [ModelFiles.index]).filter(has) + (try Self.shards("\(path)/\(ModelFiles.index)"))
    }

    /// The names in the index of weights at `path`.
    static func shards(_ path: String) throws(HubError) -> [String] {
        let bytes: [UInt8]
        do throws(FileError) { bytes = try FileSystem.read(path, limit: ModelFolder.longestJSON) } catch {
            throw HubError(error)
        }
        return try ModelFiles.shards(bytes, path: path)
    }

    /// Why a file of a snapshot is not to be used; nil if it is.
    ///
    /// A link must stay inside the cache and lead to a blob with the contents that its name says. A plain file, which
    /// Python writes where a file system has no links, has no hash.
    private func damage(_ file: String) throws(HubError) -> String? {
        guard FileSystem.isLink(file) else { return nil }
        guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: file),
            let hash = target.split(separator: "/").last.flatMap({ BlobHash(String($0)) }), isInside(file)
        else { return "is a link that leads out of the cache" }
        return try hash.isOf(file) ? nil : "is damaged: its contents do not have \(hash.shown)"
    }

    /// Whether a path, with all links followed, is below the cache.
    func isInside(_ path: String) -> Bool {
        guard let own = Self.real(root), let real = Self.real(path) else { return false }
        return real.hasPrefix(own == "/" ? own : own + "/")
    }

    private static func real(_ path: String) -> String? {
        guard let found = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(found) }
        return unsafe String(cString: found)
    }

    /// The models in the cache, by name.
    var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? [])
            .compactMap { ModelName(folder: $0)?.repository }.sorted()
    }

    // MARK: Writing

    /// Creates the folders of a model, and the parents that are missing.
    func prepare(_ name: ModelName, _ commit: Commit) throws(HubError) {
        let locks = "\(root)/.locks/\(name.folder)"
        let folders = ["\(folder(name))/blobs", snapshot(name, commit), "\(folder(name))/refs", locks]
        do throws(FileError) { for path in folders { try FileSystem.makeFolder(path) } } catch {
            throw HubError(
                "\(error.description), or set HF_HUB_CACHE to a folder that this user may write")
        }
        if let path = folders.first(where: { !isInside($0) }) {
            throw HubError("\(path): is a link that leads out of the cache \(root): remove it, or set HF_HUB_CACHE")
        }
    }

    /// Removes the folders of a model that are empty, after a download that got nothing.
    func tidy(_ name: ModelName, _ commit: Commit) {
        let model = folder(name)
        for path in [snapshot(name, commit), "\(model)/snapshots", "\(model)/blobs", "\(model)/refs", model] {
            _ = unsafe rmdir(path)
        }
    }

    /// The lock of a blob, as Python takes it.
    func lock(_ hash: BlobHash, of name: ModelName, onBusy: () -> Void) throws(HubError) -> FileLock {
        try FileLock("\(root)/.locks/\(name.folder)/\(hash.digits).lock", onBusy: onBusy)
    }

    /// Whether a blob is there with the right contents; one with other contents is not trusted.
    func has(_ hash: BlobHash, of name: ModelName) throws(HubError) -> Bool {
        let path = blob(name, hash)
        guard FileManager.default.fileExists(atPath: path), isInside(path) else { return false }
        return try hash.isOf(path)
    }

    /// Makes a file of a snapshot a link to its blob.
    func link(_ file: String, to hash: BlobHash, _ name: ModelName, _ commit: Commit) throws(HubError) {
        let path = "\(snapshot(name, commit))/\(file)"
        let target = "../../blobs/\(hash.digits)"
        if (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) == target { return }
        let beside = "\(path).\(UInt32.random(in: 0 ... .max)).partial"
        do {
            try FileManager.default.createSymbolicLink(atPath: beside, withDestinationPath: target)
            try FileSystem.rename(beside, to: path)
        } catch {
            _ = unsafe unlink(beside)
            throw HubError("\(path): cannot be created (\(error)): check the permission")
        }
    }

    /// Records the commit of a revision. A commit is its own.
    func record(_ commit: Commit, of name: ModelName) throws(HubError) {
        guard name.revision != commit.digits, self.commit(name) != commit else { return }
        let path = reference(name)
        do throws(FileError) { try FileSystem.makeFolder(FileSystem.parent(path)) } catch { throw HubError(error) }
        let file = try PartialFile("\(path).\(UInt32.random(in: 0 ... .max)).tmp", limit: 0)
        try file.write(Array(commit.digits.utf8))
        try file.place(at: path)
    }
}
