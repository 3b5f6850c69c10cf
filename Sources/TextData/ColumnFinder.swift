/// Looks for columns in a header: those that options name, or those with known names.
struct ColumnFinder {
    private let asked: ColumnNames
    private let header: [String]
    private let path: String
    /// Which option names a column.
    private let flags: [String: String]

    init(_ asked: ColumnNames, in header: [String], path: String) {
        self.asked = asked
        self.header = header
        self.path = path
        flags = Self.flags(asked, header)
    }

    /// The column of the text, and of the second one if there is one.
    func texts() throws(DatasetError) -> (text: Int, pair: Int?) {
        guard asked.text == nil, asked.pair == nil else { return try named() }
        if let usual = asked.usual, header.contains(usual.text), usual.pair.map(header.contains) != false {
            let text = try column(usual.text, flag: "--text-column")
            return (text, try usual.pair.map { name throws(DatasetError) in try column(name, flag: "--pair-column") })
        }
        let known = ColumnChoice.knownPairs.first { pair in
            [pair.0, pair.1].allSatisfy { header.contains($0) && flags[$0] == nil }
        }
        guard let known else { return try named() }
        return (try column(known.0, flag: "--text-column"), try column(known.1, flag: "--pair-column"))
    }

    /// The columns that options name; a text that none names is found by its name.
    private func named() throws(DatasetError) -> (text: Int, pair: Int?) {
        guard let name = asked.text ?? firstKnown(ColumnChoice.knownTexts) else {
            throw missing(
                "text", ColumnChoice.knownTexts, flag: "--text-column", else: "no column looks like a text")
        }
        let text = try column(name, flag: "--text-column")
        return (text, try asked.pair.map { name throws(DatasetError) in try column(name, flag: "--pair-column") })
    }

    /// The columns of the labels, none if there are none or they are not wanted.
    func labels(_ need: LabelNeed) throws(DatasetError) -> [Int] {
        guard need != .unwanted else { return [] }
        let usual = asked.usual?.label.flatMap { Self.names(in: $0, header).allSatisfy(header.contains) ? $0 : nil }
        if let name = asked.label ?? usual ?? firstKnown(ColumnChoice.knownLabels) {
            let places = try columns(Self.names(in: name, header))
            guard Set(places).count == places.count else {
                throw DatasetError(
                    path: path, problem: "--label-column names a column twice in \"\(name)\": name each once")
            }
            return places
        }
        if asked.modelLabels.count > 1, asked.modelLabels.allSatisfy(header.contains) {
            return try columns(asked.modelLabels)
        }
        guard need != .ifPresent else { return [] }
        throw missing("label", ColumnChoice.knownLabels, flag: "--label-column", else: "no column \"label\"")
    }

    /// Refuses a column for two purposes.
    func needDistinct(text: Int, pair: Int?, labels: [Int]) throws(DatasetError) {
        let uses =
            [("text", "--text-column", text)] + (pair.map { [("second text", "--pair-column", $0)] } ?? [])
            + labels.map { ("label", "--label-column", $0) }
        for (index, (what, flag, place)) in uses.enumerated() {
            guard let other = uses[..<index].first(where: { $0.2 == place }) else { continue }
            throw DatasetError(
                path: path,
                problem:
                    "\"\(header[place])\" would be both \(other.0) and \(what), \(found): name another column with "
                    + "\(other.1) or \(flag)")
        }
    }

    private func columns(_ names: [String]) throws(DatasetError) -> [Int] {
        var places: [Int] = []
        for name in names { places.append(try column(name, flag: "--label-column")) }
        return places
    }

    private func column(_ name: String, flag: String) throws(DatasetError) -> Int {
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

    private func firstKnown(_ names: [String]) -> String? {
        names.first { header.contains($0) && flags[$0] == nil }
    }

    // MARK: What is missing

    private var found: String {
        "found " + (header.isEmpty ? "none" : header.map { "\"\($0)\"" }.joined(separator: ", "))
    }

    /// What is missing, and what to do: where an option took the column that would have been found, that is said.
    private func missing(_ what: String, _ known: [String], flag: String, else other: String) -> DatasetError {
        guard let taken = known.first(where: { header.contains($0) && flags[$0] != nil }), let taking = flags[taken]
        else { return DatasetError(path: path, problem: problem(other, known, flag: flag)) }
        return DatasetError(
            path: path,
            problem: "\(taking) names \"\(taken)\", and no other column looks like a \(what), \(found): name the "
                + "\(what) with \(flag)")
    }

    private func problem(_ missing: String, _ names: [String], flag: String) -> String {
        if let other = spelledOtherwise(names) { return "\(missing), \(found): did you mean \(flag) \"\(other)\"?" }
        if let oddity = Self.oddity(of: header) { return oddity }
        if ColumnChoice.looksLikeData(header) {
            return "the first line has no column names but data (\(found)): add a header such as \"sentence\", "
                + "\"label\" above it"
        }
        let isAsked = names.count == 1
        return "\(missing), \(found): name one\(isAsked ? " of these" : "") with \(flag)"
            + (isAsked || flag != "--text-column" ? "" : ", or add a header above if this is a row")
    }

    /// A name that differs only in case.
    private func spelledOtherwise(_ names: [String]) -> String? {
        header.first { column in
            !names.contains(column) && names.contains { $0.lowercased() == column.lowercased() }
        }
    }

    // MARK: Names

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
            return "vertical bars separate the fields of its first line (\(first)): write commas, semicolons or tabs "
                + "instead"
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
        guard !names.isDisjoint(with: ColumnChoice.knownTexts), !names.isDisjoint(with: ColumnChoice.knownLabels),
            let sign = line.drop(while: { !isOfName($0) }).first(where: { !isOfName($0) })
        else { return nil }
        let what = sign == " " ? "spaces separate" : "\"\(sign)\" separates"
        return "\(what) the fields of its first line (\(line.prefix(40))): write commas, semicolons or tabs instead"
    }

    /// The label columns that one name stands for: itself, or several with commas between them.
    private static func names(in name: String, _ header: [String]) -> [String] {
        let names = header.contains(name) ? [name] : name.split(separator: ",").map { String($0.drop { $0 == " " }) }
        return names.isEmpty ? [name] : names
    }
}
