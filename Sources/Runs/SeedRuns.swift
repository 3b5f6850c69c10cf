internal import Checkpoints
package import Configuration
internal import Console
internal import Files
internal import Foundation
internal import Learning
internal import Reports
internal import Wording

/// Runs that differ only in their seed, one after another, each in its own folder `seed-N`.
package struct SeedRuns {
    private let configuration: TrainingConfiguration
    private let seeds: [UInt64]

    package init(_ configuration: TrainingConfiguration, seeds: [UInt64]) {
        self.configuration = configuration
        self.seeds = seeds
    }

    /// Executes unfinished runs, then reports and writes the statistics of all runs.
    ///
    /// - Parameter one: executes one run and returns its exit status.
    /// - Returns: 0, or the status of the run that failed or was stopped, after which no other begins.
    package func run(_ one: (_ configuration: TrainingConfiguration, _ isFirst: Bool) throws -> Int32) throws -> Int32 {
        let wasThere = FileManager.default.fileExists(atPath: configuration.output)
        let folder = try RunFolder(configuration.output, resuming: configuration.resume, neededBytes: 0)
        try save()
        let display = RunDisplay()
        for (place, seed) in seeds.enumerated() {
            do {
                let status = try one(try child(seed), place == 0)
                guard status == 0 else {
                    if status == 2 { withdraw(keepsFolder: wasThere) }
                    return status
                }
            } catch {
                if error is any BadInput { withdraw(keepsFolder: wasThere) }
                throw error
            }
            display.say("seed \(seed) is done, run \(place + 1) of \(seeds.count)")
        }
        let summary = try SeedSummary(seeds.map { (seed: $0, path: path($0) + "/summary.json") })
        try folder.replace("summary.json", with: Array(summary.json.text.utf8))
        for line in summary.lines(configuration.metric) { display.say(line) }
        display.say("\(configuration.output): the figures of all seeds are in summary.json")
        let page = ReportPage.path(inRun: configuration.output)
        do { try ReportPage.write([configuration.output], withTexts: true, to: page) } catch {
            display.say("NO REPORT: \(error)")
        }
        return 0
    }

    private func path(_ seed: UInt64) -> String { "\(configuration.output)/seed-\(seed)" }

    private func save() throws {
        var saved = configuration
        saved.resume = false
        try ConfigurationFile.write(saved, to: ConfigurationFile.path(inRun: configuration.output))
    }

    /// Removes the files of a series that cannot start; one that has started is kept.
    private func withdraw(keepsFolder: Bool) {
        let made = [".lock", "config.yaml"]
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: configuration.output),
            !names.contains(where: { $0.hasPrefix("seed-") })
        else { return }
        for name in made { try? FileManager.default.removeItem(atPath: configuration.output + "/" + name) }
        if !keepsFolder, names.allSatisfy(made.contains) {
            try? FileManager.default.removeItem(atPath: configuration.output)
        }
    }

    /// The configuration of one seed's run; if that has already started, it resumes.
    private func child(_ seed: UInt64) throws -> TrainingConfiguration {
        var child = configuration
        child.seeds = nil
        child.seed = seed
        child.output = path(seed)
        child.resume = false
        guard configuration.resume,
            let begun = try SavedConfiguration.read(inRun: child.output, cores: configuration.threads)
        else { return child }
        child.lanes = begun.lanes
        child.task = begun.task
        child.maxLength = begun.maxLength
        child.resume = true
        return child
    }
}

/// Statistics over several runs: mean and deviation of each figure.
struct SeedSummary {
    private let runs: [(seed: UInt64, summary: JSONValue)]
    /// Names of figures, such as "test accuracy", with each run's value.
    private let figures: [(group: String, name: String, values: [Double])]

    /// - Throws: ``FileError`` if a summary cannot be read.
    init(_ files: [(seed: UInt64, path: String)]) throws(FileError) {
        var runs: [(UInt64, JSONValue)] = []
        for (seed, path) in files {
            let bytes = try FileSystem.read(path)
            guard let summary = try? JSONValue(parsing: bytes) else {
                throw FileError(path, "is not JSON: was the run finished?")
            }
            runs.append((seed, summary))
        }
        self.runs = runs
        var figures: [(String, String, [Double])] = []
        for group in ["best_validation", "validation", "test"] {
            for member in runs.first?.1[group]?.members ?? [] where member.value.double != nil {
                let values = runs.compactMap { $0.1[group]?[member.key]?.double }
                if values.count == runs.count { figures.append((group, member.key, values)) }
            }
        }
        self.figures = figures
    }

    static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    /// The sample standard deviation, 0 of a single value.
    static func deviation(_ values: [Double]) -> Double {
        let mean = mean(values)
        return values.count < 2
            ? 0 : (values.reduce(0.0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot()
    }

    var json: JSONValue {
        func table(_ value: ([Double]) -> Double) -> JSONValue {
            let groups = figures.map(\.group).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
            return .object(
                groups.map { group in
                    .init(
                        group,
                        .object(figures.filter { $0.group == group }.map { .init($0.name, .number(value($0.values))) }))
                })
        }
        return .object([
            .init("seeds", .array(runs.map { .integer(Int(clamping: $0.seed)) })), .init("mean", table(Self.mean)),
            .init("deviation", table(Self.deviation)), .init("runs", .array(runs.map(\.summary))),
        ])
    }

    /// A line for each group of figures that differs from the one before, with the figures of a run's own lines.
    /// - Parameter metric: what the user chose to see beside them.
    func lines(_ metric: Measure?) -> [String] {
        let usual: [Measure] = [.loss, .accuracy, .exactMatch, .entityF1, .pearson, .spearman]
        let shown = usual + [metric].compactMap { $0 }.filter { !usual.contains($0) }
        func values(_ group: String, _ measure: Measure) -> [Double]? {
            figures.first { $0.group == group && $0.name == measure.rawValue.replacing("-", with: "_") }?.values
        }
        let names = [("best_validation", "best: validation "), ("validation", "last: validation "), ("test", "test: ")]
        return names.compactMap { group, name in
            if group == "validation", shown.allSatisfy({ values(group, $0) == values("best_validation", $0) }) {
                return nil
            }
            let parts = shown.compactMap { measure in
                values(group, measure).map {
                    "\(measure.words) \(decimal(Self.mean($0), 4)) ± \(decimal(Self.deviation($0), 4))"
                }
            }
            return parts.isEmpty
                ? nil : "mean and deviation of \(runs.count) seeds, \(name)\(parts.joined(separator: ", "))"
        }
    }
}
