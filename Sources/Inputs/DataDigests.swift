internal import Files
internal import Foundation
package import Learning
package import TextData

/// SHA-256 of a split's data: of its file, or of the SHA-256 of several files in their order.
package enum DataDigests {
    /// Files beyond that are not recorded one by one; the digest of the split has them all.
    private static let mostNamed = 256

    /// By the split's name; of several files also each one's, by `SPLIT/NAME`.
    package static func of(_ named: String, _ split: Split) throws -> [String: String] {
        let paths = try DataFiles.paths(named, for: split.part)
        var digests: [String] = []
        for path in paths { digests.append(try Digests.file(path)) }
        var found = [split.rawValue: whole(digests)]
        guard paths.count > 1 else { return found }
        for (path, digest) in zip(paths, digests).prefix(mostNamed) {
            found["\(split.rawValue)/\(DataFiles.lastName(path))"] = digest
        }
        return found
    }

    /// Only the digest of the split.
    package static func whole(_ named: String, _ split: Split) throws -> String {
        var digests: [String] = []
        for path in try DataFiles.paths(named, for: split.part) { digests.append(try Digests.file(path)) }
        return whole(digests)
    }

    private static func whole(_ digests: [String]) -> String {
        digests.count == 1 ? digests[0] : Digests.bytes(Array(digests.joined(separator: "\n").utf8))
    }

    /// What differs, and its SHA-256 then and now; nil where it is missing.
    package struct Difference {
        package let what: String
        package let saved: String?
        package let now: String?
    }

    /// What differs between two runs' data. Of several files at most three are named, and none if only names differ.
    package static func differences(_ saved: [String: String], _ now: [String: String]) -> [Difference] {
        func differing(_ keys: Set<String>) -> [String] { keys.sorted().filter { saved[$0] != now[$0] } }
        let keys = Set(saved.keys).union(now.keys)
        let (ofFiles, others) = (keys.filter { $0.contains("/") }, keys.filter { !$0.contains("/") })
        return differing(others).flatMap { key -> [Difference] in
            let isSplit = Split(rawValue: key) != nil
            let own = Difference(
                what: isSplit ? "the \(key) data" : "the file of \(key)", saved: saved[key], now: now[key])
            let files = differing(ofFiles.filter { isSplit && $0.hasPrefix(key + "/") }).prefix(3).map { file in
                Difference(what: "its \(file.dropFirst(key.count + 1))", saved: saved[file], now: now[file])
            }
            return [own] + files
        }
    }
}

extension Split {
    /// What is read of a folder of data files.
    package var part: DataFolder.Part {
        switch self {
        case .train, .sourceTrain: .train
        case .validation, .sourceValidation: .validation
        case .test: .test
        }
    }
}
