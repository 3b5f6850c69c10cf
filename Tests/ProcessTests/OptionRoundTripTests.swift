import ArgumentParser
import Foundation
import Testing

@testable import ApusCommand
@testable import Configuration

/// Every option goes from the command line and from a file into the configuration, is saved, and comes back.
@Suite struct OptionRoundTripTests {
    /// A value of each option that is not its default, as the command line has it.
    static let values: [TrainingConfiguration.Key: [String]] = [
        .model: ["/m"], .train: ["/t.tsv", "/u.tsv"], .validation: ["/v.tsv"], .validationSplit: ["0.1"],
        .test: ["/e.tsv"],
        .output: ["/runs/x"],
        .epochs: ["0.5"], .batchSize: ["7"],
        .learningRate: ["0.001"], .optimizer: ["adamw"], .weightDecay: ["0.25"], .schedule: ["cosine"],
        .warmupSteps: ["0.1"], .maxSteps: ["9"],
        .maxGradNorm: ["1.5"], .accumulate: ["2"], .maxLength: ["64"], .dropout: ["0.25"], .seed: ["11"],
        .seeds: ["1,2"], .metric: ["macro-f1"],
        .patience: ["2"], .evalEvery: ["5"], .lanes: ["3"], .threads: ["5"], .freeze: ["embeddings", "layers 0-1"],
        .unfreezeEvery: ["2"],
        .layerDecay: ["0.5"], .headLearningRate: ["0.01"], .reinitializeLayers: ["1"], .fromScratch: [],
        .addTokens: ["/w.txt"], .extendPositions: [],
        .loraRank: ["4"], .loraAlpha: ["16.0"], .loraTargets: ["key", "value"], .loraDropout: ["0.5"],
        .checkpointEvery: ["6"], .keep: ["3"],
        .resume: [], .minWorkers: ["2"], .maxRestarts: ["8"], .coordinatorTimeout: ["9"], .heartbeatTimeout: ["10"],
        .progressTimeout: ["12"],
        .insecure: [], .recompute: [], .blas: ["openblas"], .precision: ["bf16-amx"], .progress: ["plain"],
        .noTensorboard: [],
        .inputFormat: ["csv"], .textColumn: ["a"], .pairColumn: ["b"], .labelColumn: ["c"],
        .task: ["multi-label"], .pooling: ["mean"],
        .labelSmoothing: ["0.125"], .classWeights: ["spam=3", "ham=2"], .wholeWordMasking: [], .sourceTrain: ["/s.tsv"],
        .sourceValidation: ["/u.tsv"],
        .sourceTask: ["masked-lm"], .sourceBatchSize: ["4"], .lambda: ["0.5"], .lambdaEnd: ["2.0"],
        .lambdaSchedule: ["linear"], .sharedLayers: ["1"],
        .sourceTextColumn: ["d"], .sourcePairColumn: ["e"], .sourceLabelColumn: ["f"],
    ]

    private static let blank = TrainingConfiguration(model: "", train: "", output: "", threads: 1)

    private func configuration(_ given: GivenOptions) throws -> TrainingConfiguration {
        var configuration = Self.blank
        try configuration.apply(given)
        return configuration
    }

    @Test func `the table has every option`() {
        #expect(Set(Self.values.keys) == Set(TrainingConfiguration.Key.allCases))
    }

    @Test(arguments: TrainingConfiguration.Key.allCases)
    func `an option keeps its value on every way`(key: TrainingConfiguration.Key) throws {
        let value = try #require(Self.values[key])
        let typed = try given([key.flag] + value, key)
        #expect(typed[key] != nil, "\(key.flag) is parsed and ignored")
        let fromLine = try configuration(typed)
        #expect(fromLine.value(key) != Self.blank.value(key), "\(key.flag) \(value) is the default or is not taken")

        let yaml = value.isEmpty ? "true" : value.count == 1 ? value[0] : "[\(value.joined(separator: ", "))]"
        let fromFile = try configuration(
            try ConfigurationFile.read(text: "\(key.rawValue): \(yaml)\n", path: "run.yaml"))
        #expect(fromFile == fromLine)

        // What every saved run has.
        var run = fromLine
        if key != .model { run.model = "/m" }
        if key != .train { run.train = "/t.tsv" }
        if key != .output { run.output = "/runs/y" }
        let folder = try ScratchFolder()
        try ConfigurationFile.write(run, to: folder.url("config.yaml").path)
        #expect(try ConfigurationFile.readSaved(folder.url("config.yaml").path, cores: 1) == run)
    }

    private func parse(_ command: [String]) throws -> any ParsableCommand {
        try ApusCommand.parseAsRoot(FieldNames.translated(command))
    }

    /// What the command line makes of an option.
    private func given(_ arguments: [String], _ key: TrainingConfiguration.Key) throws -> GivenOptions {
        if key == .minWorkers {  // One process refuses it.
            return try #require(try parse(["launch"] + arguments) as? Launch).options.given
        }
        return try #require(try parse(["train"] + arguments) as? Train).options.given
    }

    @Test func `each command that trains takes the same options`() throws {
        let keys = TrainingConfiguration.Key.allCases.filter { $0 != .minWorkers }
        let all = try keys.flatMap { [$0.flag] + (try #require(Self.values[$0])) }
        let train = try #require(try parse(["train"] + all) as? Train)
        #expect(keys.allSatisfy { train.options.given[$0] != nil })
        let launch = try #require(try parse(["launch"] + all) as? Launch)
        let work = try #require(try parse(["work"] + all) as? Work)
        let coordinate = try #require(try parse(["coordinate", "--workers", "1"] + all) as? Coordinate)
        for other in [launch.options.given, work.options.given, coordinate.options.given] {
            #expect(other == train.options.given)
        }
    }

    @Test(arguments: OptionName.renamed.sorted { $0.key < $1.key }.map(\.key))
    func `another trainer's name gives the option its value on the command line and in a file`(name: String) throws {
        let key = try #require(OptionName.renamed[name])
        let value = name == "bf16" ? "True" : Self.values[key]?.first ?? "True"
        let dashed = try #require(
            try ApusCommand.parseAsRoot(FieldNames.translated(["train", "--\(name)", value])) as? Train
        ).options.given
        let underscored = "--" + name.replacing("-", with: "_")
        let joined = try #require(
            try ApusCommand.parseAsRoot(FieldNames.translated(["train", "\(underscored)=\(value)"])) as? Train
        ).options.given
        let file = try ConfigurationFile.read(text: "\(underscored.dropFirst(2)): \(value)\n", path: "run.yaml")
        #expect(dashed[key] != nil)
        #expect(joined == dashed)
        #expect(try configuration(file) == configuration(dashed))
    }

    @Test func `names of other trainers are in the documented table`() throws {
        let page = try String(contentsOf: repository.appending(path: "docs/options.md"), encoding: .utf8)
        for (name, key) in OptionName.renamed {
            let row = page.split(separator: "\n").first { $0.contains("--\(name.replacing("-", with: "_"))") }
            #expect(row?.contains(key.flag) == true, "\(name)")
        }
    }
}
