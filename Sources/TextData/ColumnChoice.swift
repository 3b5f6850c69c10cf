/// The columns that the user named; nil leaves the choice to the names in the file.
package struct ColumnNames: Equatable, Sendable {
    package var text: String?
    package var pair: String?
    /// One column, or several names separated by commas.
    package var label: String?
    /// Labels of a model: if the file has a column for each of them and the user named no column, those are read.
    package var modelLabels: [String] = []
    /// Columns that the model was trained on: used if the user named none and the file has them.
    package var usual: Usual?

    package struct Usual: Equatable, Sendable {
        package var text: String
        package var pair: String?
        package var label: String?

        package init(text: String, pair: String? = nil, label: String? = nil) {
            self.text = text
            self.pair = pair
            self.label = label
        }
    }

    package init(
        text: String? = nil, pair: String? = nil, label: String? = nil, modelLabels: [String] = [], usual: Usual? = nil
    ) {
        self.text = text
        self.pair = pair
        self.label = label
        self.modelLabels = modelLabels
        self.usual = usual
    }

    /// Names by which columns are found when no option names one.
    package static var known: [String] {
        ColumnChoice.knownTexts + ColumnChoice.knownLabels + ColumnChoice.knownPairs.flatMap { [$0.0, $0.1] }
    }
}

/// Whether a data file must have a label column.
package enum LabelNeed: Sendable {
    case required, ifPresent, unwanted
    /// Required, but a sample may have no label.
    case requiredPerhapsEmpty
}

/// The columns of one file that are read.
struct ColumnChoice: Equatable {
    let text: Int
    let pair: Int?
    /// Several columns with one of a sample's targets each.
    let labels: [Int]
    /// Whether rows keep all their fields, not only those of the columns above.
    var keepsFields = false

    static let knownPairs = [
        ("sentence1", "sentence2"), ("premise", "hypothesis"), ("question1", "question2"), ("question", "sentence"),
        ("text1", "text2"), ("text", "text_pair"),
    ]
    static let knownTexts = [
        "sentence", "text", "sentence1", "premise", "question", "question1", "text1", "review", "content", "tokens",
        "words",
    ]
    static let knownLabels = ["label", "labels", "ner_tags", "tags", "pos_tags", "chunk_tags"]

    /// Whether a first line is a row and not column names: a field is a number, empty or a sentence.
    static func looksLikeData(_ header: [String]) -> Bool {
        let known = Set((knownTexts + knownLabels + knownPairs.flatMap { [$0.0, $0.1] }).map { $0.lowercased() })
        guard !header.contains(where: { known.contains($0.lowercased()) }) else { return false }
        return header.contains { field in
            let spaces = field.count { $0 == " " }
            return Double(field) != nil || spaces == field.count || spaces >= 3 || field.utf8.count > 60
        }
    }

    /// Finds the named columns; a second text is chosen automatically only if the first is, too.
    init(_ asked: ColumnNames, in header: [String], labels: LabelNeed, path: String) throws(DatasetError) {
        let found = "found " + (header.isEmpty ? "none" : header.map { "\"\($0)\"" }.joined(separator: ", "))
        let headerless =
            Self.looksLikeData(header)
            ? "the first line has no column names but data (\(found)): add a header such as \"sentence\", \"label\" "
                + "above it"
            : nil
        /// A name that differs only in case.
        func spelledOtherwise(_ names: [String]) -> String? {
            header.first { column in
                !names.contains(column) && names.contains { $0.lowercased() == column.lowercased() }
            }
        }
        func problem(_ missing: String, _ names: [String], flag: String) -> String {
            if let other = spelledOtherwise(names) { return "\(missing), \(found): did you mean \(flag) \"\(other)\"?" }
            let isAsked = names.count == 1
            let nameable =
                "\(missing), \(found): name one\(isAsked ? " of these" : "") with \(flag)"
                + (isAsked || flag != "--text-column" ? "" : ", or add a header above if this is a row")
            return Self.oddity(of: header) ?? headerless ?? nameable
        }
        func column(_ name: String, flag: String) throws(DatasetError) -> Int {
            let places = header.indices.filter { header[$0] == name }
            guard let place = places.first else {
                throw DatasetError(path: path, problem: problem("no column \"\(name)\"", [name], flag: flag))
            }
            guard places.count == 1 else {
                throw DatasetError(
                    path: path, problem: "\(places.count) columns are named \"\(name)\": rename all but one")
            }
            return place
        }
        /// Which option names a column.
        let flags = Self.flags(asked, header)
        func firstKnown(_ names: [String]) -> String? { names.first { header.contains($0) && flags[$0] == nil } }
        /// What is missing where an option took the column that would have been found.
        func missing(_ what: String, _ known: [String], flag: String, else other: String) -> String {
            guard let taken = known.first(where: { header.contains($0) && flags[$0] != nil }), let taking = flags[taken]
            else { return problem(other, known, flag: flag) }
            return "\(taking) names \"\(taken)\", and no other column looks like a \(what), \(found): name the \(what) "
                + "with \(flag)"
        }

        let usual = asked.usual.flatMap { header.contains($0.text) && $0.pair.map(header.contains) != false ? $0 : nil }
        let knownPair = Self.knownPairs.first { pair in
            [pair.0, pair.1].allSatisfy { header.contains($0) && flags[$0] == nil }
        }
        if asked.text == nil, asked.pair == nil, let usual {
            text = try column(usual.text, flag: "--text-column")
            if let name = usual.pair { pair = try column(name, flag: "--pair-column") } else { pair = nil }
        } else if asked.text == nil, asked.pair == nil, let knownPair {
            text = try column(knownPair.0, flag: "--text-column")
            pair = try column(knownPair.1, flag: "--pair-column")
        } else {
            guard let name = asked.text ?? firstKnown(Self.knownTexts) else {
                let line = missing(
                    "text", Self.knownTexts, flag: "--text-column", else: "no column looks like a text")
                throw DatasetError(path: path, problem: line)
            }
            text = try column(name, flag: "--text-column")
            if let name = asked.pair { pair = try column(name, flag: "--pair-column") } else { pair = nil }
        }
        let isOfModel = asked.modelLabels.count > 1 && asked.modelLabels.allSatisfy(header.contains)
        let usualLabel = asked.usual?.label.flatMap {
            Self.names(in: $0, header).allSatisfy(header.contains) ? $0 : nil
        }
        switch (asked.label ?? usualLabel ?? firstKnown(Self.knownLabels), labels) {
        case (_, .unwanted): self.labels = []
        case (let name?, _):
            var places: [Int] = []
            for name in Self.names(in: name, header) { places.append(try column(name, flag: "--label-column")) }
            guard Set(places).count == places.count else {
                throw DatasetError(
                    path: path, problem: "--label-column names a column twice in \"\(name)\": name each once")
            }
            self.labels = places
        case (nil, _) where isOfModel:
            var places: [Int] = []
            for name in asked.modelLabels { places.append(try column(name, flag: "--label-column")) }
            self.labels = places
        case (nil, .ifPresent): self.labels = []
        case (nil, .required), (nil, .requiredPerhapsEmpty):
            let line = missing("label", Self.knownLabels, flag: "--label-column", else: "no column \"label\"")
            throw DatasetError(path: path, problem: line)
        }
        let uses =
            [("text", "--text-column", text)] + (pair.map { [("second text", "--pair-column", $0)] } ?? [])
            + self.labels.map { ("label", "--label-column", $0) }
        for (index, (what, flag, place)) in uses.enumerated() {
            guard let other = uses[..<index].first(where: { $0.2 == place }) else { continue }
            throw DatasetError(
                path: path,
                problem:
                    "\"\(header[place])\" would be both \(other.0) and \(what), \(found): name another column with "
                    + "\(other.1) or \(flag)")
        }
    }

    /// The options that name columns, by the columns.
    private static func flags(_ asked: ColumnNames, _ header: [String]) -> [String: String] {
        var flags: [String: String] = [:]
        for name in asked.label.map({ names(in: $0, header) }) ?? [] { flags[name] = "--label-column" }
        if let name = asked.pair { flags[name] = "--pair-column" }
        if let name = asked.text { flags[name] = "--text-column" }
        return flags
    }

    /// What a first line is that names no column, and what to do; nil where nothing speaks for one of these.
    private static func oddity(of header: [String]) -> String? {
        guard let first = header.first else { return nil }
        if first.hasPrefix("sep=") {
            return
                "the first line (\(first)…) tells a spreadsheet the separator: take it out, the names of columns "
                + "come first"
        }
        if header.allSatisfy({ $0.count > 1 && $0.hasPrefix("'") && $0.hasSuffix("'") }) {
            return "the names of its columns (\(first)) have single quotes: write double quotes around fields, or none"
        }
        guard header.count == 1 else { return nil }
        if first.contains("|") {
            return
                "vertical bars part the fields of its first line (\(first)): write commas, semicolons or tabs instead"
        }
        if first.hasPrefix("#") || first.hasPrefix("//") {
            return "the first line (\(first.prefix(40))) is a comment: take it out, the first line names the columns"
        }
        return otherSeparator(of: first)
    }

    /// A first line in which something else than a comma, a semicolon or a tab stands between the names of a text and
    /// of its label.
    private static func otherSeparator(of line: String) -> String? {
        func isOfName(_ character: Character) -> Bool {
            character.isLetter || character.isNumber || character == "_"
        }
        let names = Set(line.split { !isOfName($0) }.map { $0.lowercased() })
        guard !names.isDisjoint(with: knownTexts), !names.isDisjoint(with: knownLabels),
            let sign = line.drop(while: { !isOfName($0) }).first(where: { !isOfName($0) })
        else { return nil }
        let what = sign == " " ? "spaces part" : "\"\(sign)\" parts"
        return "\(what) the fields of its first line (\(line.prefix(40))): write commas, semicolons or tabs instead"
    }

    /// The label columns that one name stands for: itself, or several with commas between them.
    private static func names(in name: String, _ header: [String]) -> [String] {
        let names = header.contains(name) ? [name] : name.split(separator: ",").map { String($0.drop { $0 == " " }) }
        return names.isEmpty ? [name] : names
    }
}
