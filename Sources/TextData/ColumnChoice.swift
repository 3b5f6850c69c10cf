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

    /// The columns of a training file.
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
    init(_ asked: ColumnNames, in header: [String], labels need: LabelNeed, path: String) throws(DatasetError) {
        let finder = ColumnFinder(asked, in: header, path: path)
        (text, pair) = try finder.texts()
        labels = try finder.labels(need)
        try finder.needDistinct(text: text, pair: pair, labels: labels)
    }
}
