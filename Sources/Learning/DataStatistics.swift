package import TextData
internal import Wording

/// Statistics of a dataset before training: lengths of its samples and distribution of its targets.
package struct DataStatistics: Codable, Sendable, Equatable {
    package var samples: Int
    /// Tokens of a sample before truncation, including special tokens.
    package var meanLength: Double
    package var medianLength: Int
    /// The 95th percentile of lengths.
    package var length95: Int
    package var longest: Int
    package var truncated: Int
    /// The count of each class, in the order of the labels.
    package var classes: [Class]?
    /// Mean and deviation of the target numbers.
    package var meanTarget: Double?
    package var targetDeviation: Double?

    /// Whether a sample may have several of the classes, or none.
    private var areLabels = false

    /// A class and the number of its samples, or of its words.
    package struct Class: Codable, Sendable, Equatable {
        package var label: String
        package var count: Int
    }

    enum CodingKeys: String, CodingKey {
        case samples
        case meanLength = "mean_length"
        case medianLength = "median_length"
        case length95 = "length_95_percent"
        case longest, truncated, classes
        case meanTarget = "mean_target"
        case targetDeviation = "target_deviation"
    }

    /// - Parameter names: of the classes.
    package init(_ dataset: TokenizedDataset, names: [String]) {
        samples = dataset.count
        let lengths = dataset.wholeLengths.sorted().map { Int($0) }
        meanLength = lengths.isEmpty ? 0 : Double(lengths.reduce(0, +)) / Double(lengths.count)
        func quantile(_ part: Double) -> Int {
            lengths.isEmpty ? 0 : lengths[min(lengths.count - 1, Int(part * Double(lengths.count)))]
        }
        (medianLength, length95, longest) = (quantile(0.5), quantile(0.95), lengths.last ?? 0)
        truncated = dataset.truncatedCount
        switch dataset.labels {
        case .none: break
        case .classes(let found): classes = Self.count(found, names)
        case .values(let values, let width):
            if names.isEmpty {
                (meanTarget, targetDeviation) = Self.spread(values)
            } else {
                let labels = values.indices.filter { values[$0] > 0.5 }.map { Int32($0 % width) }
                classes = Self.count(labels, names)
                areLabels = true
            }
        case .tokens(let labels): classes = Self.count(labels.classes, names)
        case .masked: break
        }
    }

    private static func count(_ found: [Int32], _ names: [String]) -> [Class] {
        var counts = [Int](repeating: 0, count: names.count)
        for label in found where counts.indices.contains(Int(label)) { counts[Int(label)] += 1 }
        return zip(names, counts).map(Class.init)
    }

    private static func spread(_ values: [Float]) -> (Double, Double) {
        let mean = values.reduce(0.0) { $0 + Double($1) } / Double(max(1, values.count))
        let squares = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
        return (mean, (squares / Double(max(1, values.count))).squareRoot())
    }

    /// The targets in one line; nil if there are none.
    package var balance: String? {
        if let meanTarget, let targetDeviation {
            return "numbers of mean \(decimal(meanTarget, 3)), deviation \(decimal(targetDeviation, 3))"
        }
        guard let classes, !classes.isEmpty else { return nil }
        let all = Double(max(1, areLabels ? samples : classes.reduce(0) { $0 + $1.count }))
        let shown = classes.prefix(12).map { "\($0.label) \($0.count) (\(decimal(100 * Double($0.count) / all, 1)) %)" }
        return shown.joined(separator: ", ")
            + (classes.count > 12 ? ", … of \(classes.count) \(areLabels ? "labels" : "classes")" : "")
    }

    /// A description for the user.
    /// - Parameter file: the samples' file.
    package func lines(_ split: Split, file: String, maxLength: Int) -> [String] {
        var line =
            "\(split.rawValue): \(counted(samples, "sample")) of \(file), \(decimal(meanLength, 1)) tokens on "
            + "average, 95 % up to \(length95), longest \(longest)"
        if truncated > 0 { line += "; \(truncated) were longer than --max-length \(maxLength) and are truncated" }
        return [line] + (balance.map { ["\(split.rawValue) labels: \($0)"] } ?? [])
    }
}
