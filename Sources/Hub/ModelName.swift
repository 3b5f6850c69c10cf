/// A model's name on a hub: `NAME` or `ORGANIZATION/NAME`, with a revision after `@` if one is given.
///
/// Every part may become a part of a path and of an address, so only letters, digits and `._-` are in it.
package struct ModelName: Equatable, Hashable, Sendable, CustomStringConvertible {
    /// `NAME` or `ORGANIZATION/NAME`.
    package let repository: String
    /// A branch, a tag or a commit; `main` unless one is given.
    package let revision: String

    /// The branch that a name without a revision means.
    package static let usualRevision = "main"

    /// Nil for anything that is not such a name.
    package init?(_ text: String) {
        let halves = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        self.init(repository: halves[0], revision: halves.count == 2 ? halves[1] : Self.usualRevision)
    }

    package init?(repository: String, revision: String) {
        guard Self.isRepository(repository), Self.isRevision(revision) else { return nil }
        self.repository = repository
        self.revision = revision
    }

    package var description: String {
        revision == Self.usualRevision ? repository : "\(repository)@\(revision)"
    }

    /// The last part of the name.
    package var shortName: String { repository.split(separator: "/").last.map(String.init) ?? repository }

    /// The model's folder in the cache.
    package var folder: String { "models--" + repository.replacing("/", with: "--") }

    /// The model of a folder in the cache; nil for other folders.
    package init?(folder: String) {
        guard folder.hasPrefix("models--") else { return nil }
        self.init(
            repository: String(folder.dropFirst("models--".count)).replacing("--", with: "/"),
            revision: Self.usualRevision)
    }

    /// The same model at a commit.
    package func at(_ commit: Commit) -> ModelName { ModelName(self, revision: commit.digits) }

    private init(_ other: ModelName, revision: String) {
        repository = other.repository
        self.revision = revision
    }

    /// As the hub has it: each part begins and ends with a letter, a digit or `_`, and has neither `--` nor `..`.
    private static func isRepository(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), !text.contains("--"), !text.hasSuffix(".git") else { return false }
        return parts.allSatisfy { part in
            (1...96).contains(part.utf8.count) && part.utf8.allSatisfy(isPlain) && !part.contains("..")
                && part.utf8.first.map(isWord) == true && part.utf8.last.map(isWord) == true
        }
    }

    /// Parts as in Git: none empty, none that begins with a dot or ends in one.
    private static func isRevision(_ text: String) -> Bool {
        text.utf8.count <= 200
            && text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
                !part.isEmpty && part.utf8.allSatisfy(isPlain) && !part.contains("..") && part.first != "."
                    && part.last != "." && part.first != "-"
            }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        isWord(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }
}

/// A commit of a repository: 40 hexadecimal digits in small letters.
package struct Commit: Equatable, Hashable, Sendable {
    package let digits: String

    package init?(_ text: String) {
        guard text.utf8.count == 40, isHexadecimal(text) else { return nil }
        digits = text
    }
}

/// Whether all characters are digits or small letters from a to f.
func isHexadecimal(_ text: String) -> Bool {
    text.utf8.allSatisfy {
        switch $0 {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
        default: false
        }
    }
}
