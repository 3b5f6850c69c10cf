internal import Foundation
internal import Testing

@testable internal import Configuration
@testable internal import Learning
@testable internal import Runs

@Suite struct ConfigurationTests {
    let files = DefaultFiles(cache: "/nowhere/apus")

    func resolve(_ given: GivenOptions) throws(ConfigurationError) -> TrainingConfiguration {
        try TrainingConfiguration.resolve(
            given, cores: 4, now: Date(timeIntervalSince1970: 0), chance: 36, files: files)
    }

    /// Own model and data, so that nothing need be fetched.
    func own(_ change: (inout GivenOptions) -> Void = { _ in }) -> GivenOptions {
        var given = GivenOptions()
        given.give(.model, "/models/small")
        given.give(.train, "/data/train.tsv")
        change(&given)
        return given
    }

    @Test func `own training data has no default validation or test`() throws {
        let configuration = try resolve(own())
        #expect(configuration.validation == nil)
        #expect(configuration.test == nil)
        #expect(configuration.threads == 4)
        #expect(configuration.output == "runs/19700101T000000Z-small-0000010")
    }

    @Test func `a default that was never fetched is named with the way to fetch it`() {
        #expect(throws: ConfigurationError.missingDefault(what: "the default model", path: files.model, key: .model)) {
            try resolve(GivenOptions())
        }
        let error = ConfigurationError.missingDefault(what: "the default model", path: files.model, key: .model)
        #expect("\(error)".contains("scripts/fetch.sh"))
    }

    @Test func `none for validation leaves the default test in place`() {
        var given = GivenOptions()
        given.give(.model, "/models/small")
        given.give(.validation, "none")
        #expect(
            throws: ConfigurationError.missingDefault(what: "the default training data", path: files.train, key: .train)
        ) {
            try resolve(given)
        }
        #expect(given[.validation] == .absent)
    }

    @Test func `relative paths are kept as absolute ones`() throws {
        let configuration = try resolve(own { $0.give(.train, "data/../train.tsv") })
        #expect(configuration.train == "\(FileManager.default.currentDirectoryPath)/train.tsv")
    }

    @Test func `the cache folder follows XDG_CACHE_HOME and then the home folder`() {
        #expect(DefaultFiles(environment: ["XDG_CACHE_HOME": "/cache", "HOME": "/h"]).cache == "/cache/apus")
        #expect(DefaultFiles(environment: ["XDG_CACHE_HOME": "", "HOME": "/h"]).cache == "/h/.cache/apus")
    }

    @Test(arguments: [
        (TrainingConfiguration.Key.learningRate, "nan"), (.learningRate, "-1e-5"), (.learningRate, "inf"),
        (.batchSize, "0"), (.epochs, "0"),
        (.maxLength, "2"), (.dropout, "1"), (.dropout, "-0.1"), (.accumulate, "0"), (.lanes, "0"), (.threads, "-1"),
        (.maxSteps, "0"),
        (.maxGradNorm, "0"), (.weightDecay, "nan"), (.keep, "-1"), (.checkpointEvery, "0"), (.warmupSteps, "-1"),
        (.minWorkers, "0"),
        (.maxRestarts, "-1"), (.coordinatorTimeout, "0"), (.heartbeatTimeout, "0"),
        (.progressTimeout, "0"), (.batchSize, "9223372036854775807"), (.loraRank, "65537"), (.epochs, "1e300"),
        (.epochs, "nan"), (.maxSteps, "9223372036854775807"), (.lanes, "65537"), (.threads, "4097"),
    ])
    func `a value that no run can have is refused with the flag and what was found`(
        key: TrainingConfiguration.Key, value: String
    ) {
        let error = #expect(throws: ConfigurationError.self) {
            try resolve(own { $0.give(key, ConfigurationValue.text(value)) })
        }
        guard case .outOfRange(key, _, _) = error else {
            Issue.record("\(String(describing: error)) is not about the range of \(key.rawValue)")
            return
        }
        #expect(error?.description.contains(key.flag) == true)
        #expect(error?.description.contains("\n") == false)
    }

    @Test(arguments: [
        (TrainingConfiguration.Key.learningRate, "0"), (.dropout, "0"), (.maxLength, "3"), (.batchSize, "1"),
        (.lanes, "16"), (.maxRestarts, "0"),
        (.seed, "18446744073709551615"),
    ])
    func `the last value of each range is taken`(key: TrainingConfiguration.Key, value: String) throws {
        _ = try resolve(own { $0.give(key, ConfigurationValue.text(value)) })
    }

    @Test func `the samples of a step fit 32 bits, those of a source task too`() throws {
        func resolve(_ accumulate: Int) throws -> TrainingConfiguration {
            try self.resolve(
                own {
                    $0.give(.sourceTrain, "/data/source.tsv")
                    $0.give(.accumulate, accumulate)
                })
        }
        #expect(try resolve(134_217_727).accumulate == 134_217_727)
        #expect(
            throws: ConfigurationError.outOfRange(
                key: .accumulate, found: "134217728",
                needed: "at most 134217727 with a source task and --batch-size 32")
        ) { try resolve(134_217_728) }
    }

    @Test func `a value of another kind is refused with what is needed`() {
        #expect(
            throws: ConfigurationError.wrongKind(
                path: nil, line: nil, key: .optimizer, found: "sgd", needed: "adam or adamw")
        ) {
            try resolve(own { $0.give(.optimizer, "sgd") })
        }
    }

    @Test func `one column cannot be text and label`() {
        #expect(throws: ConfigurationError.sameColumn(key: .labelColumn, other: .textColumn, name: "review")) {
            try resolve(
                own {
                    $0.give(.textColumn, "review")
                    $0.give(.labelColumn, "review")
                })
        }
    }

    @Test func `what was given wins over the file`() throws {
        var line = GivenOptions()
        line.give(.epochs, 7)
        let file = try ConfigurationFile.read(
            text: "epochs: 2\nbatch-size: 8\nmodel: /m\ntrain: /t.tsv\n", path: "run.yaml")
        let configuration = try resolve(line.over(file))
        #expect(configuration.epochs == 7)
        #expect(configuration.batchSize == 8)
    }

    @Test func `every option has a field of its own`() throws {
        let base = try resolve(own())
        for key in TrainingConfiguration.Key.allCases {
            var changed = base
            let values = [
                "/x", "5", "0.5", "true", "adamw", "linear", "regression", "loss", "mean", "csv", "openblas", "plain",
                "bf16",
            ]
            let taken = values.filter { TrainingConfiguration.field(key).write(&changed, .text($0)) && changed != base }
            #expect(!taken.isEmpty, "\(key.rawValue)")
            let others = TrainingConfiguration.Key.allCases.filter { $0 != key && changed.value($0) != base.value($0) }
            #expect(others.isEmpty, "\(key.rawValue)")
        }
    }

    @Test func `lanes are the largest power of two up to the usual ones and half the batch`() {
        for batchSize in 1...300 {
            let lanes = LaneCount.default(batchSize: batchSize)
            let bound = max(1, min(LaneCount.usual, batchSize / 2))
            #expect(lanes & (lanes - 1) == 0 && lanes <= bound && lanes * 2 > bound)
        }
    }
}
