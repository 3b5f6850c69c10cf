/// Sentences word by word, as the CoNLL tasks write them: a word a line with its label in another column, a blank line
/// between sentences.
///
/// Columns are parted by tabs, or by spaces where a line has no tab; the first is the word, the last its label. Lines that begin
/// with `-DOCSTART-` are passed over.
/// Source: Tjong Kim Sang and De Meulder 2003.
struct WordLines {
    private(set) var sentences: [[String]] = []
    /// A label a word; nil where they are not wanted.
    private(set) var labels: [[String]]?
    /// The line on which each sentence begins, from 1.
    private(set) var lines: [Int] = []

    /// - Parameter column: number of the label's column from 1; nil for the last one.
    init(_ bytes: [UInt8], path: String, column: String?, labels need: LabelNeed) throws(DatasetError) {
        var place: Int?
        if let column {
            guard let number = Int(column), number > 1 else {
                throw DatasetError(path: path, problem: "--label-column is \"\(column)\", of a file of words the number of a column from 2 was needed")
            }
            place = number - 1
        }
        let isWanted = need != .unwanted
        if isWanted { labels = [] }
        var isOpen = false
        for (index, bytes) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            let line = String(decoding: bytes.last == 0x0D ? bytes.dropLast() : bytes, as: UTF8.self)
            guard !Dataset.isBlank(line), !line.hasPrefix("-DOCSTART-") else {
                isOpen = false
                continue
            }
            let fields = line.utf8.contains(0x09) ? line.split(separator: "\t") : line.split(separator: " ")
            let needed = isWanted ? (place ?? 1) + 1 : 1
            guard fields.count >= needed else {
                throw DatasetError(
                    path: path, line: index + 1,
                    problem: "\(fields.count) \(fields.count == 1 ? "field" : "fields"), at least \(needed) were needed: "
                        + "a word and its label, with a tab or spaces between")
            }
            if !isOpen {
                sentences.append([])
                labels?.append([])
                lines.append(index + 1)
                isOpen = true
            }
            sentences[sentences.count - 1].append(String(fields[0]))
            if isWanted { labels?[sentences.count - 1].append(String(fields[place ?? fields.count - 1])) }
        }
    }
}
