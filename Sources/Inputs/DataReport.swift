package import Configuration
internal import Wording
package import Files
internal import Foundation
package import TextData

/// What `apus data` says about data files: sizes, lengths, labels, and what is worth a look.
package struct DataReport {
    /// The options of `apus data`.
    package struct Options {
        /// Files, patterns or a folder; the names of files say their split.
        package var files: [String]
        package var validation: String?
        package var test: String?
        /// Folder or name of the model whose tokens are counted; nil: only words are.
        package var model: String?
        package var maxLength: Int?
        package var columns: ColumnNames
        package var format: DataFormat?
        package var task: TrainingConfiguration.TargetTask?
        package var threads: Int

        package init(
            files: [String], validation: String?, test: String?, model: String?, maxLength: Int?, columns: ColumnNames,
            format: DataFormat?, task: TrainingConfiguration.TargetTask?, threads: Int
        ) {
            self.files = files
            self.validation = validation
            self.test = test
            self.model = model
            self.maxLength = maxLength
            self.columns = columns
            self.format = format
            self.task = task
            self.threads = threads
        }
    }

    private let parts: [PartReport]
    private let review: DataReview
    private let notes: [String]

    /// - Throws: what a run would be refused for, as far as the files decide it.
    package init(_ options: Options) throws {
        let tokenizer = try options.model.map { model in
            let folder = try SourceModel.folder(model, weights: false)
            try ModelPath.check(folder, needsModel: false)
            return try WordPieceTokenizer(folder: URL(fileURLWithPath: folder))
        }
        var (found, notes, columns) = ([(DataReview.Part, PartReport)](), [String](), options.columns)
        var task = options.task
        for (part, files) in try Self.splits(options) {
            let rows = try Self.read(files, part, columns, options)
            notes += rows.notes.map { "\(DataFiles.shortName(rows.path)): \($0)" }
            if task == nil, rows.labels != nil { task = try TaskChoice(nil, of: rows).task }
            if rows.columns != ColumnNames() { columns = rows.columns }
            let reviewed = DataReview.Part(part.rawValue, rows, rows.labels == nil ? nil : task)
            let limit = options.maxLength ?? TrainingConfiguration.usualMaxLength
            let report = try PartReport(reviewed, task, tokenizer, maxLength: limit, threads: options.threads)
            found.append((reviewed, report))
        }
        let reviewed = found.map(\.0)
        let training = reviewed.first { $0.name == DataFolder.Part.train.rawValue }
        review = DataReview(
            training: training, others: reviewed.filter { $0.name != training?.name }, namesRareClasses: true)
        parts = found.map(\.1)
        self.notes = notes
    }

    private static func read(
        _ files: [String], _ part: DataFolder.Part, _ columns: ColumnNames, _ options: Options
    ) throws -> Dataset {
        let need: LabelNeed =
            switch options.task {
            case .maskedLM?: .unwanted
            case .multiLabel?: .requiredPerhapsEmpty
            case nil where options.columns.label == nil: .ifPresent
            default: .required
            }
        return try Dataset(
            path: files.joined(separator: ","), part: part, format: options.format, columns: columns, labels: need,
            allowsPlainText: options.task == .maskedLM || options.task == nil)
    }

    /// The splits' files, in the order of the splits.
    private static func splits(_ options: Options) throws -> [(DataFolder.Part, [String])] {
        var files: [DataFolder.Part: [String]] = [:]
        for named in options.files {
            for name in DataFiles.parts(named) {
                if DataFiles.isFolder(name) {
                    let folder = DataFolder(name)
                    for part in DataFolder.Part.allCases where folder.has(part) {
                        files[part, default: []].append(name)
                    }
                    if files.isEmpty { _ = try DataFiles.paths(name, for: .train) }
                } else {
                    for path in try DataFiles.paths(name, for: .train) {
                        files[DataFolder.part(ofFile: path) ?? .train, default: []].append(path)
                    }
                }
            }
        }
        if let validation = options.validation { files[.validation] = [validation] }
        if let test = options.test { files[.test] = [test] }
        return DataFolder.Part.allCases.compactMap { part in files[part].map { (part, $0) } }
    }

    /// For people: some lines a split, then a line a warning, then their number.
    package var lines: [String] {
        var lines = notes + parts.flatMap(\.lines)
        for warning in review.warnings {
            lines.append("warning: \(warning.split): \(warning.message)")
            let examples = warning.examples.filter { !warning.message.contains($0) }
            if !examples.isEmpty {
                lines.append(
                    "    such as " + examples.joined(separator: ", ")
                        + (warning.count > warning.examples.count ? ", …" : ""))
            }
        }
        lines.append(review.warnings.isEmpty ? "nothing is worth a warning" : counted(review.warnings.count, "warning"))
        return lines
    }

    /// The same for programs.
    package var json: JSONValue {
        .object([
            .init("splits", .array(parts.map(\.json))),
            .init(
                "warnings",
                .array(
                    review.warnings.map { warning in
                        .object([
                            .init("kind", .string(warning.kind.rawValue)), .init("split", .string(warning.split)),
                            .init("count", .integer(warning.count)), .init("message", .string(warning.message)),
                            .init("examples", .array(warning.examples.map { .string($0) })),
                        ])
                    })),
        ])
    }
}
