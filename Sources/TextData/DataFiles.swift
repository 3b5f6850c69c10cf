internal import Foundation

/// The files that an option names for one split: a file, several with commas between them, a pattern such as
/// `part-*.jsonl`, or a folder whose files have the split in their names.
package enum DataFiles {
    /// More are hardly meant.
    private static let most = 10_000

    /// What an option names, one by one. A file whose own name has a comma is one file.
    package static func parts(_ named: String) -> [String] {
        guard named.utf8.contains(UInt8(ascii: ",")), !FileManager.default.fileExists(atPath: named) else {
            return [named]
        }
        let parts = named.split(separator: ",").map { Dataset.trimmed(String($0)) }.filter { !$0.isEmpty }
        return parts.isEmpty ? [named] : parts
    }

    package static func isFolder(_ named: String) -> Bool { FilePattern.isFolder(named) }

    /// The files in the order in which they are read: as named, those of a pattern or folder sorted by bytes.
    /// - Throws: ``DatasetError`` if a pattern matches no file, a folder has none for the split, or a file comes twice.
    package static func paths(_ named: String, for part: DataFolder.Part) throws(DatasetError) -> [String] {
        var paths: [String] = []
        for name in parts(named) {
            if FilePattern.isFolder(name) {
                paths += try DataFolder(name).files(part)
            } else if let pattern = FilePattern(name), !FileManager.default.fileExists(atPath: name) {
                let found = pattern.files()
                guard !found.isEmpty else {
                    throw DatasetError(
                        path: name, problem: "no file matches this pattern: check the folder and the pattern")
                }
                paths += found
            } else {
                paths.append(name)
            }
        }
        guard paths.count <= most else {
            throw DatasetError(path: named, problem: "has \(paths.count) files, at most \(most) are read: join some")
        }
        var seen: Set<String> = []
        for path in paths where !seen.insert(URL(fileURLWithPath: path).standardizedFileURL.path).inserted {
            throw DatasetError(path: path, problem: "is named twice for one split: name it once")
        }
        return paths
    }

    /// The name of what an option names, without folders.
    package static func lastName(_ named: String) -> String {
        let short = shortName(named)
        return short.split(separator: "/").last.map(String.init) ?? short
    }

    /// What an option names, short, for messages: the end of a path, and how many others there are.
    package static func shortName(_ named: String) -> String {
        let parts = parts(named)
        let first = parts[0].split(separator: "/").suffix(2).joined(separator: "/")
        return parts.count == 1 ? first : "\(first) and \(parts.count - 1) more"
    }
}
