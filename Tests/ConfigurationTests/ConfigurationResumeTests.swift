internal import Foundation
internal import Testing

@testable internal import Configuration
@testable internal import Learning
@testable internal import Runs

@Suite struct ConfigurationResumeTests {
    let saved: TrainingConfiguration = {
        var saved = TrainingConfiguration(
            model: "/models/small", train: "/data/train.tsv", output: "runs/a", threads: 2)
        saved.lanes = 4
        saved.freeze = ["embeddings.*"]
        return saved
    }()

    /// Saves the run into a fresh folder and resolves `change` with `--resume --output` of that folder.
    func resume(_ change: (inout GivenOptions) -> Void = { _ in }) throws -> TrainingConfiguration {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("apus-resume-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        try ConfigurationFile.write(saved, to: ConfigurationFile.path(inRun: folder.path))
        var given = GivenOptions()
        given.give(.resume, true)
        given.give(.output, folder.path)
        change(&given)
        return try TrainingConfiguration.resolve(given, cores: 3, now: Date(), files: DefaultFiles(cache: "/nowhere"))
    }

    @Test func `a resumed run has the saved options, and this machine's threads`() throws {
        let resumed = try resume()
        #expect(resumed.lanes == 4)
        #expect(resumed.freeze == ["embeddings.*"])
        #expect(resumed.threads == 3)
        #expect(resumed.resume)
    }

    @Test func `how long and where a run goes may change`() throws {
        let resumed = try resume {
            $0.give(.epochs, 9)
            $0.give(.maxSteps, 100)
            $0.give(.checkpointEvery, 5)
            $0.give(.keep, 4)
            $0.give(.threads, 1)
            $0.give(.minWorkers, 2)
            $0.give(.recompute, true)
        }
        #expect(resumed.recompute)
        #expect(resumed.epochs == 9 && resumed.maxSteps == 100 && resumed.keep == 4 && resumed.threads == 1)
    }

    @Test func `an option given with its saved value is no change`() throws {
        #expect(try resume { $0.give(.batchSize, 32) }.batchSize == 32)
    }

    @Test func `other options are refused with both values`() {
        let error = #expect(throws: ConfigurationError.self) {
            try resume {
                $0.give(.batchSize, 64)
                $0.give(.dropout, 0.2)
            }
        }
        #expect(error?.description.contains("batch-size was 32, now 64; dropout was none, now 0.2") == true)
    }

    @Test(arguments: TrainingConfiguration.Key.allCases)
    func `each option either may change or is refused`(key: TrainingConfiguration.Key) {
        var now = saved
        let field = TrainingConfiguration.field(key)
        let values = [
            "/x", "5", "0.5", "true", "adamw", "linear", "regression", "loss", "mean", "plain", "openblas", "csv",
            "bf16",
        ]
        let isChanged = values.contains { field.write(&now, .text($0)) && now != saved }
        #expect(isChanged)
        let free: Set<TrainingConfiguration.Key> = [
            .output, .resume, .epochs, .maxSteps, .checkpointEvery, .keep, .threads, .minWorkers, .maxRestarts,
            .coordinatorTimeout,
            .heartbeatTimeout, .progressTimeout, .insecure, .recompute, .progress, .noTensorboard,
        ]
        let refused = TrainingConfiguration.resumeDifferences(saved: saved, now: now).map(\.key)
        #expect(refused == (free.contains(key) ? [] : [key]))
    }

    @Test func `a folder without a run is refused`() {
        var given = GivenOptions()
        given.give(.resume, true)
        let files = DefaultFiles(cache: "/nowhere")
        #expect(throws: ConfigurationError.resumeWithoutOutput) {
            try TrainingConfiguration.resolve(given, cores: 1, now: Date(), files: files)
        }
        given.give(.output, "/nowhere/run")
        #expect(throws: ConfigurationError.nothingToResume(output: "/nowhere/run", hasState: false)) {
            try TrainingConfiguration.resolve(given, cores: 1, now: Date(), files: files)
        }
    }
}
