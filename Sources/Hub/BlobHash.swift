internal import Files
internal import Foundation
internal import Hashes

/// The hash by which a hub names a file's contents: its ETag.
///
/// Small files have Git's SHA-1 of a blob, 40 digits; large ones their SHA-256, 64 digits.
package struct BlobHash: Equatable, Hashable, Sendable {
    package let digits: String

    /// The name of a blob; nil for anything but 40 or 64 hexadecimal digits.
    package init?(_ text: String) {
        guard [40, 64].contains(text.utf8.count), isHexadecimal(text) else { return nil }
        digits = text
    }

    /// From an ETag as HTTP has it: in quotes, perhaps after `W/`.
    package init?(tag: String) {
        var text = tag[...]
        if text.hasPrefix("W/") { text = text.dropFirst(2) }
        if text.count >= 2, text.first == "\"", text.last == "\"" { text = text.dropFirst().dropLast() }
        self.init(String(text))
    }

    /// Whether a file has these contents.
    ///
    /// - Complexity: O(bytes); read in chunks.
    /// - Throws: ``HubError`` if it cannot be read.
    func isOf(_ path: String) throws(HubError) -> Bool {
        do throws(FileError) { return try Self.digits(of: path, isSHA256) == digits } catch { throw HubError(error) }
    }

    /// As people write it: which hash, and its first digits.
    var shown: String { "\(isSHA256 ? "SHA-256" : "Git's SHA-1") \(digits.prefix(12))…" }

    private var isSHA256: Bool { digits.utf8.count == 64 }

    private static func digits(of path: String, _ isSHA256: Bool) throws(FileError) -> String {
        isSHA256 ? try Digests.file(path) : try gitDigits(of: path)
    }

    /// Source: `git help hash-object`: SHA-1 of "blob", a space, the length, a zero byte and the contents.
    private static func gitDigits(of path: String) throws(FileError) -> String {
        guard let handle = FileHandle(forReadingAtPath: path) else { throw FileError(path, "cannot be opened") }
        var hash = RunningHash(.sha1)
        do {
            let count = try handle.seekToEnd()
            try handle.seek(toOffset: 0)
            hash.update(Array("blob \(count)\0".utf8))
            while let data = try handle.read(upToCount: 1 << 20), !data.isEmpty { hash.update(data.bytes) }
        } catch {
            throw FileError(path, "cannot be read (\(error.localizedDescription))")
        }
        return Digests.hexadecimal(hash.finish())
    }
}
