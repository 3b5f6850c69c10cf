internal import Foundation

/// Files by a pattern: `*` and `?` stand for characters of a name, `[a-f]` for one of several, `**` for folders of any
/// depth.
struct FilePattern {
    private let text: String

    /// Nil if nothing in the text stands for something else.
    init?(_ text: String) {
        guard text.utf8.contains(where: { $0 == Self.star || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "[") })
        else { return nil }
        self.text = text
    }

    private static let star = UInt8(ascii: "*")

    /// Folders that `**` goes down; a link in a circle ends there.
    private static let deepest = 16

    /// The files that match, sorted by bytes. Names that begin with a dot match only a pattern that does, too.
    func files() -> [String] {
        let isAbsolute = text.hasPrefix("/")
        let parts = text.split(separator: "/").map(String.init)
        return Set(Self.matches(parts[...], in: isAbsolute ? "/" : "")).filter(Self.isFile).sorted(by: Self.byBytes)
    }

    static func byBytes(_ first: String, _ second: String) -> Bool {
        first.utf8.lexicographicallyPrecedes(second.utf8)
    }

    private static func matches(_ parts: ArraySlice<String>, in folder: String, depth: Int = 0) -> [String] {
        guard let part = parts.first else { return folder.isEmpty ? [] : [folder] }
        let rest = parts.dropFirst()
        if part == "**" {
            guard depth < deepest else { return [] }
            return matches(rest, in: folder)
                + folders(in: folder).flatMap { matches(parts, in: join(folder, $0), depth: depth + 1) }
        }
        guard FilePattern(part) != nil else {
            let path = join(folder, part)
            return FileManager.default.fileExists(atPath: path) ? matches(rest, in: path) : []
        }
        return names(in: folder).filter { unsafe fnmatch(part, $0, FNM_PERIOD) == 0 }
            .flatMap { matches(rest, in: join(folder, $0)) }
    }

    private static func join(_ folder: String, _ name: String) -> String {
        folder.isEmpty ? name : folder.hasSuffix("/") ? folder + name : folder + "/" + name
    }

    private static func names(in folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
    }

    private static func folders(in folder: String) -> [String] {
        names(in: folder).filter { !$0.hasPrefix(".") && isFolder(join(folder, $0)) }
    }

    static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    static func isFile(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) && !isFolder(path) }
}
