internal import Foundation

/// A folder of data files whose names, or whose folders' names, say the split, as Hugging Face's `datasets` reads them:
/// `train.csv`, `dev.jsonl`, `data/test-00000-of-00002.jsonl`, `validation/part-1.csv`.
///
/// Source: `datasets/data_files.py`. Files without a split in any name are for training.
package struct DataFolder {
    /// A split, as names of files say it.
    package enum Part: String, CaseIterable, Sendable {
        case train, validation, test

        var keywords: Set<String> {
            switch self {
            case .train: ["train", "training"]
            case .validation: ["validation", "valid", "dev", "val"]
            case .test: ["test", "testing", "eval", "evaluation"]
            }
        }
    }

    private let path: String
    private let files: [Part: [String]]
    /// Files of formats that are not read.
    private let foreign: [String]

    private static let deepest = 4
    private static let foreignEndings: Set = ["parquet", "arrow", "xlsx", "zip", "zst", "bz2", "xz"]
    private static let descriptions: Set = [
        "dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json", "config.json",
    ]

    package init(_ path: String) {
        self.path = path
        let all = Self.list(path, below: "", depth: 0).sorted(by: FilePattern.byBytes)
        let names = all.filter { Self.ending(of: $0) != nil }
        foreign = all.filter { Self.foreignEndings.contains(URL(fileURLWithPath: $0).pathExtension.lowercased()) }
        // The first rule that finds a split decides, as in `datasets`.
        let rules: [(String) -> Part?] = [
            { name in Part.allCases.first { Self.isShard(name, of: $0) } },
            { name in Self.part(of: name.split(separator: "/").dropLast()) },
            { name in Self.part(of: name.split(separator: "/").suffix(1)) },
        ]
        for rule in rules {
            var found: [Part: [String]] = [:]
            for name in names { if let part = rule(name) { found[part, default: []].append(name) } }
            if !found.isEmpty {
                files = found
                return
            }
        }
        let others = names.filter { Self.ending(of: $0) != "txt" }
        files = others.isEmpty ? [:] : [.train: others]
    }

    package func has(_ part: Part) -> Bool { files[part] != nil }

    /// The files of a split, sorted by bytes.
    /// - Throws: ``DatasetError`` if there are none, if they have two formats or if a shard is missing.
    func files(_ part: Part) throws(DatasetError) -> [String] {
        guard let names = files[part], let first = names.first else {
            let found = Part.allCases.filter(has).map(\.rawValue)
            let others =
                !found.isEmpty
                ? "it has files for \(found.joined(separator: " and ")) only: name a file"
                : foreign.first.map { "\($0) is of a format that is not read: \(Self.conversion(of: $0))" }
                    ?? "expected names such as \(part.rawValue).csv or \(part.rawValue)-00000-of-00002.jsonl"
            throw DatasetError(path: path, problem: "the folder has no \(part.rawValue) data, \(others)")
        }
        if let other = names.first(where: { Self.ending(of: $0) != Self.ending(of: first) }) {
            throw DatasetError(
                path: path,
                problem: "\(first) and \(other) are both \(part.rawValue) data, in two formats: name the files to read")
        }
        let shards = names.compactMap(Self.shard)
        if let last = shards.first, Set(shards.map(\.count)).count == 1, shards.count == names.count,
            let missing = (0..<last.count).first(where: { number in !shards.contains { $0.number == number } })
        {
            throw DatasetError(
                path: path,
                problem: "\(part.rawValue) data are \(shards.count) of \(last.count) shards, number \(missing) is "
                    + "missing: is the folder complete?")
        }
        return names.map { path.hasSuffix("/") ? path + $0 : "\(path)/\($0)" }
    }

    private static func conversion(of name: String) -> String {
        FileSignature.parquetCommand(name) ?? "write it as CSV or JSON lines"
    }

    // MARK: Names

    /// The suffix of a data file without that of its compression; nil for other files.
    private static func ending(of name: String) -> String? {
        var url = URL(fileURLWithPath: name)
        guard !descriptions.contains(url.lastPathComponent) else { return nil }
        if url.pathExtension.lowercased() == "gz" { url = url.deletingPathExtension() }
        let ending = url.pathExtension.lowercased()
        return DataFormat.endings[ending] != nil || ending == "txt" ? ending : nil
    }

    /// The split that a file's name says; nil if it says none.
    package static func part(ofFile path: String) -> Part? { part(of: path.split(separator: "/").suffix(1)) }

    /// The split that a word in one of the names is.
    private static func part(of names: ArraySlice<Substring>) -> Part? {
        for name in names.reversed() {
            let words = Set(name.lowercased().split { "-._ ".contains($0) || $0.isNumber }.map(String.init))
            if let part = Part.allCases.first(where: { !$0.keywords.isDisjoint(with: words) }) { return part }
        }
        return nil
    }

    private static func isShard(_ name: String, of part: Part) -> Bool {
        name.hasPrefix("data/\(part.rawValue)-") && shard(name) != nil
    }

    /// `-00000-of-00002` in a name.
    private static func shard(_ name: String) -> (number: Int, count: Int)? {
        guard let match = name.firstMatch(of: /-([0-9]{5})-of-([0-9]{5})[^\/]*$/), let number = Int(match.1),
            let count = Int(match.2)
        else { return nil }
        return (number, count)
    }

    /// Paths of files below a folder; names that begin with a dot or two underscores are passed over.
    private static func list(_ root: String, below: String, depth: Int) -> [String] {
        guard depth < deepest else { return [] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root + "/" + below)) ?? []
        return names.filter { !$0.hasPrefix(".") && !$0.hasPrefix("__") }.flatMap { name in
            let path = below.isEmpty ? name : below + "/" + name
            return FilePattern.isFolder(root + "/" + path) ? list(root, below: path, depth: depth + 1) : [path]
        }
    }
}
