package import Files
internal import Foundation

extension ModelFolder {
    /// SHA-256 of each file that is read of this folder, by name: configuration, tokenizer and weights.
    ///
    /// - Complexity: O(bytes); the weights are read once more.
    package func digests() throws(FileError) -> [String: String] {
        let present = ModelFolder.tokenizerFiles.filter { FileManager.default.fileExists(atPath: path + "/" + $0) }
        var digests: [String: String] = [:]
        for name in ["config.json"] + present
            + files.map({ String(decoding: $0.path.utf8.dropFirst(path.utf8.count + 1), as: UTF8.self) })
        {
            digests[name] = try Digests.file(path + "/" + name)
        }
        return digests
    }
}
