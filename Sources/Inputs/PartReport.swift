internal import Configuration
internal import Wording
internal import Files
internal import TextData

/// The figures of one split.
struct PartReport {
    /// Lengths of all texts.
    private struct Lengths {
        let mean: Double
        let median: Int
        let most95: Int
        let longest: Int

        init(_ lengths: [Int]) {
            let sorted = lengths.sorted()
            func quantile(_ part: Double) -> Int {
                sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(part * Double(sorted.count)))]
            }
            mean = Double(sorted.reduce(0, +)) / Double(max(1, sorted.count))
            (median, most95, longest) = (quantile(0.5), quantile(0.95), sorted.last ?? 0)
        }

        func line(_ what: String) -> String {
            "\(decimal(mean, 1)) \(what) a text on average, half up to \(median), 95 % up to \(most95), longest "
                + "\(longest)"
        }

        var json: JSONValue {
            .object([
                .init("mean", .number(mean)), .init("median", .integer(median)),
                .init("length_95_percent", .integer(most95)), .init("longest", .integer(longest)),
            ])
        }
    }

    private struct Cut {
        let limit: Int
        let rows: Int
        let tokens: Int
        let allTokens: Int

        func line(of count: Int) -> String {
            guard rows > 0 else { return "--max-length \(limit) cuts nothing off" }
            func share(_ part: Int, _ all: Int) -> String { decimal(100 * Double(part) / Double(max(1, all)), 1) }
            return "--max-length \(limit) cuts off \(share(tokens, allTokens)) % of the tokens, from "
                + "\(counted(rows, "text")) (\(share(rows, count)) %)"
        }
    }

    private let name: String
    private let file: String
    private let count: Int
    private let words: Lengths
    private let tokens: Lengths?
    private let cut: Cut?
    private let labels: [DataReview.LabelCount]
    /// Smallest, mean and largest target.
    private let targets: (least: Double, mean: Double, most: Double)?

    private static let mostLabels = 12

    init(
        _ part: DataReview.Part, _ task: TrainingConfiguration.TargetTask?, _ tokenizer: WordPieceTokenizer?,
        maxLength: Int, threads: Int
    ) throws {
        let rows = part.rows
        (name, file, count) = (part.name, DataFiles.shortName(rows.path), rows.count)
        words = Lengths(
            (0..<rows.count).map { row in
                Self.words(in: rows.texts[row]) + (rows.pairs.map { Self.words(in: $0[row]) } ?? 0)
            })
        let dataset = tokenizer.map { tokenizer in
            rows.words.map { words in
                TokenizedDataset(
                    words: words, tokenizer: tokenizer, maxLength: maxLength,
                    wordClasses: words.map { [Int32](repeating: 0, count: $0.count) }, threads: threads)
            }
                ?? TokenizedDataset(rows, tokenizer: tokenizer, maxLength: maxLength, labels: .none, threads: threads)
        }
        let lengths = dataset?.wholeLengths.map { Int($0) }
        tokens = lengths.map(Lengths.init)
        cut = lengths.map { lengths in
            Cut(
                limit: maxLength, rows: lengths.count { $0 > maxLength },
                tokens: lengths.reduce(0) { $0 + max(0, $1 - maxLength) }, allTokens: lengths.reduce(0, +))
        }
        labels = part.counts
        if task == .regression, rows.labels != nil {
            let values = try rows.targets().values.map { Double($0) }
            targets = (
                values.min() ?? 0, values.reduce(0, +) / Double(max(1, values.count)), values.max() ?? 0
            )
        } else {
            targets = nil
        }
    }

    /// What white space separates, by bytes.
    private static func words(in text: String) -> Int {
        var (count, isInside) = (0, false)
        for byte in text.utf8 {
            if byte > 0x20, !isInside { count += 1 }
            isInside = byte > 0x20
        }
        return count
    }

    private var labelSum: Int { max(1, labels.reduce(0) { $0 + $1.count }) }

    var lines: [String] {
        var lines = ["\(name): \(counted(count, "row")) of \(file)", "\(name): \(words.line("words"))"]
        if let tokens, let cut {
            lines += ["\(name): \(tokens.line("tokens"))", "\(name): \(cut.line(of: count))"]
        }
        if let targets {
            lines.append(
                "\(name) targets: from \(decimal(targets.least, 3)) to \(decimal(targets.most, 3)), mean "
                    + decimal(targets.mean, 3))
        }
        if !labels.isEmpty {
            let shown = labels.prefix(Self.mostLabels).map {
                "\($0.label) \($0.count) (\(decimal(100 * Double($0.count) / Double(labelSum), 1)) %)"
            }
            lines.append(
                "\(name) labels: \(shown.joined(separator: ", "))"
                    + (labels.count > Self.mostLabels ? ", … of \(labels.count)" : ""))
        }
        return lines
    }

    var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("split", .string(name)), .init("file", .string(file)), .init("rows", .integer(count)),
            .init("words", words.json),
        ]
        if let tokens, let cut {
            members += [
                .init("tokens", tokens.json), .init("max_length", .integer(cut.limit)),
                .init("truncated_rows", .integer(cut.rows)), .init("truncated_tokens", .integer(cut.tokens)),
            ]
        }
        if let targets {
            members.append(
                .init(
                    "targets",
                    .object([
                        .init("least", .number(targets.least)), .init("mean", .number(targets.mean)),
                        .init("most", .number(targets.most)),
                    ])))
        }
        if !labels.isEmpty {
            members.append(
                .init(
                    "labels",
                    .array(
                        labels.map {
                            .object([
                                .init("label", .string($0.label)), .init("count", .integer($0.count)),
                                .init("share", .number(Double($0.count) / Double(labelSum))),
                            ])
                        })))
        }
        return .object(members)
    }
}
