/// What is worth a look in data files: repeated texts, texts that training shares with other splits, odd labels.
///
/// Nothing here makes data unusable; what does is refused where it is read.
package struct DataReview: Sendable {
    /// One kind of finding in one split.
    package struct Warning: Equatable, Sendable {
        /// What was found; the names are those of `apus data --json`.
        package enum Kind: String, CaseIterable, Sendable {
            case sharedWithTraining = "shared-with-training"
            case similarLabels = "similar-labels"
            case twoLabels = "two-labels"
            case emptyTexts = "empty-texts"
            case repeatedTexts = "repeated-texts"
            case rareClasses = "rare-classes"
            case unknownLabels = "unknown-labels"
        }

        package let kind: Kind
        package let split: String
        package let count: Int
        /// What was found, without the split.
        package let message: String
        /// Rows or labels.
        package let examples: [String]
        /// Whether a run that begins says it: a hundredth of the rows, a twentieth if repeated, and all about labels.
        package var isNotable = true
    }

    /// A label and how often it occurs.
    package struct LabelCount: Equatable, Sendable {
        package let label: String
        package let count: Int
    }

    /// One split's files, read.
    package struct Part: Sendable {
        package let name: String
        package let rows: Dataset
        /// Each row's labels; nil if there are none that are names.
        package let labels: [[String]]?

        package init(name: String, rows: Dataset, labels: [[String]]?) {
            self.name = name
            self.rows = rows
            self.labels = labels
        }

        /// The most frequent first, then by name.
        package var counts: [LabelCount] {
            var counts: [String: Int] = [:]
            for label in (labels ?? []).joined() { counts[label, default: 0] += 1 }
            return counts.map(LabelCount.init).sorted { ($1.count, $0.label) < ($0.count, $1.label) }
        }
    }

    /// The kinds that matter most come first.
    package let warnings: [Warning]

    /// The first findings in one line, for a run that begins; nil if there is nothing to say.
    package var brief: String? {
        let few = warnings.filter(\.isNotable)
        guard !few.isEmpty else { return nil }
        let shown = few.prefix(3).map { "\($0.split): \($0.message)" }.joined(separator: "; ")
        return "worth a look: \(shown)\(few.count > 3 ? "; and more" : ""); 'apus data' says where"
    }

    /// Labels below this share are rare.
    private static let rareShare = 0.01
    private static let mostExamples = 5

    /// - Parameters:
    ///   - training: nil if there is none.
    ///   - others: splits whose texts training should not have.
    ///   - namesRareClasses: not for single words, of which most kinds are rare.
    /// - Complexity: O(bytes) time; memory for a number of each text.
    package init(training: Part?, others: [Part], namesRareClasses: Bool) {
        var warnings: [Warning] = []
        var known: EqualTexts?
        let names = training?.labels.map { Set($0.joined()) }
        for part in [training].compactMap({ $0 }) + others {
            if part.name != training?.name {
                if let known { warnings += Self.shared(part, known) }
                if let names { warnings += Self.unknown(part, names) }
            }
            var texts = EqualTexts(part.rows)
            warnings += Self.similarLabels(part) + Self.repeated(part, &texts) + Self.empty(part)
            if part.name == training?.name { known = texts }
            if namesRareClasses { warnings += Self.rare(part) }
        }
        self.warnings = Warning.Kind.allCases.flatMap { kind in warnings.filter { $0.kind == kind } }
    }

    private static func warning(_ kind: Warning.Kind, _ part: Part, rows: [Int], _ message: String) -> [Warning] {
        guard !rows.isEmpty else { return [] }
        return [
            Warning(
                kind: kind, split: part.name, count: rows.count, message: message,
                examples: rows.prefix(mostExamples).map { "\(part.rows.file(ofRow: $0)):\(part.rows.lines[$0])" },
                isNotable: (kind == .repeatedTexts ? 20 : 100) * rows.count >= part.rows.count)
        ]
    }

    private static func text(_ count: Int) -> String { count == 1 ? "1 text" : "\(count) texts" }

    private static func shared(_ part: Part, _ known: EqualTexts) -> [Warning] {
        let rows = (0..<part.rows.count).filter { known.contains($0, of: part.rows) }
        return warning(
            .sharedWithTraining, part, rows: rows,
            "\(text(rows.count)) of \(part.rows.count) \(rows.count == 1 ? "is" : "are") in the training data too")
    }

    private static func empty(_ part: Part) -> [Warning] {
        let rows = (0..<part.rows.count).filter { Dataset.isBlank(part.rows.texts[$0]) }
        return warning(.emptyTexts, part, rows: rows, "\(text(rows.count)) without a character")
    }

    /// Rows whose text is that of an earlier row, and of those the ones with another label.
    /// - Parameter texts: takes all rows.
    private static func repeated(_ part: Part, _ texts: inout EqualTexts) -> [Warning] {
        var (again, torn) = ([Int](), [Int]())
        for row in 0..<part.rows.count {
            let earlier = texts.firstRow(like: row)
            guard earlier < row, !Dataset.isBlank(part.rows.texts[row]) else { continue }
            again.append(row)
            if let labels = part.labels, labels[earlier] != labels[row] { torn.append(row) }
        }
        let share = again.count * 100 / max(1, part.rows.count)
        return warning(
            .twoLabels, part, rows: torn,
            torn.count == 1
                ? "1 text is that of an earlier row with another label"
                : "\(text(torn.count)) are those of earlier rows with other labels")
            + warning(
                .repeatedTexts, part, rows: again,
                "\(text(again.count))\(share > 0 ? " (\(share) %)" : "") "
                    + (again.count == 1 ? "is that of an earlier row" : "are those of earlier rows"))
    }

    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.generalCategory != .format }

    /// Labels that differ only in upper and lower case, in spaces or in characters that are not seen.
    private static func similarLabels(_ part: Part) -> [Warning] {
        let groups = Dictionary(grouping: part.counts.map(\.label)) { label in
            String(String.UnicodeScalarView(label.lowercased().unicodeScalars.filter(Self.isVisible))).split {
                $0.isWhitespace
            }.joined(separator: " ")
        }.values.filter { $0.count > 1 }.map { $0.sorted() }.sorted { $0[0] < $1[0] }
        guard !groups.isEmpty else { return [] }
        let shown = groups.prefix(mostExamples).map { $0.map { "\"\($0)\"" }.joined(separator: " and ") }
        return [
            Warning(
                kind: .similarLabels, split: part.name, count: groups.count,
                message: "labels that differ only in case or spaces: \(shown.joined(separator: ", "))", examples: shown)
        ]
    }

    private static func rare(_ part: Part) -> [Warning] {
        let counts = part.counts
        let all = counts.reduce(0) { $0 + $1.count }
        let rare = counts.filter { Double($0.count) < rareShare * Double(all) }.reversed()
        guard !rare.isEmpty else { return [] }
        let shown = rare.prefix(mostExamples).map { "\"\($0.label)\" \($0.count)" }
        return [
            Warning(
                kind: .rareClasses, split: part.name, count: rare.count,
                message: (rare.count == 1 ? "1 class has" : "\(rare.count) classes have")
                    + " less than 1 % of the labels: " + shown.joined(separator: ", ")
                    + (rare.count > shown.count ? ", …" : ""),
                examples: shown)
        ]
    }

    private static func unknown(_ part: Part, _ names: Set<String>) -> [Warning] {
        let found = part.counts.filter { !names.contains($0.label) }
        guard !found.isEmpty else { return [] }
        let shown = found.prefix(mostExamples).map { "\"\($0.label)\"" }
        return [
            Warning(
                kind: .unknownLabels, split: part.name, count: found.count,
                message: "\(found.count == 1 ? "1 label is" : "\(found.count) labels are") not in the training data, "
                    + "which a run refuses: \(shown.joined(separator: ", "))", examples: shown)
        ]
    }
}
