import Foundation

/// Files that the kernel makes while they are read: Foundation's readers may end before they do.
enum SystemFile {
    /// - Returns: nil if there is no such file (any more).
    static func contents(_ path: String) -> Data? {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        var contents = Data()
        while case let part? = try? file.read(upToCount: 1 << 16), !part.isEmpty { contents += part }
        return contents
    }

    static func text(_ path: String) -> String? { contents(path).map { String(decoding: $0, as: UTF8.self) } }
}
