import BERT
import Checkpoints
import Kernels
import Testing

@testable import Configuration
@testable import Files
@testable import Learning
@testable import Runs

/// The bits of a few steps, recorded: no change of arithmetic goes unnoticed.
///
/// A deliberate change of them raises `Arithmetic.number`, has a line in CHANGELOG.md, and records the digests again.
@Suite struct RecordedBitsTests {
    enum Job: String, CaseIterable, Sendable {
        case plain, adapters, masked, regression, layers, unfreezing, twoTasks, pairs, tiles
        case pairsOfAdapters, tilesOfTwoTasks

        var digest: String {
            switch self {
            case .plain: "c96cc46db82485ded18aa6b5c18958c8ef5ee2a1e68e504eb1c55f87afd785b8"
            case .adapters: "0f30d4618c85638350af4cdae6ead7564d18577a0acea3268e0ccb09b81d04f4"
            case .masked: "38f7060a0d10252565f8726229585b0cb45ebf6f5c98ed71f2e7e009771d8001"
            case .regression: "7ab638b128de4ea96413f6bb6fc4c66f74af5ef5dbe285845f67b185f1c7a08c"
            case .layers: "c0ba67fb0ebdc571bff21f3ae17a33dd15c9546f28e686b13bfaf6638f61ca70"
            case .unfreezing: "1d73c8eacb9c597920f55462f796ffbe5a1f5c3af5e6fb40a7f4b044dd7501d2"
            case .pairs: "4a4e1daefd78e56f0978c52b1efc8789828bdbd7114ea5f69bb18434f3a6b69b"
            case .tiles: "376d2d65888f972e5e6697021932f669f842be60e4a2be5888371ad56d3f4fdf"
            case .pairsOfAdapters: "8bf9ed0e32271b582b4f04ab392870826697a111f8d846c2d53f72fa99d26b68"
            case .tilesOfTwoTasks: "4c9785cef2d1cafbd4ef0b4888c775cd0af87dca7be6a9b281bb9b824b42d2ae"
            case .twoTasks: "ea52b00f0af59fa5ca9ea0f62eec526bb9778ecbd2e6a3912ee1151ed9a4292c"
            }
        }

        func change(_ configuration: inout TrainingConfiguration) {
            configuration.maxSteps = 4
            configuration.schedule = .cosine
            configuration.warmupSteps = 1
            configuration.optimizer = .adamw
            configuration.weightDecay = 0.01
            configuration.dropout = 0.1
            switch self {
            case .plain: break
            case .pairs: (configuration.precision, configuration.recompute) = (.bf16, true)
            case .tiles: (configuration.precision, configuration.accumulate) = (.bf16AMX, 2)
            case .adapters:
                (configuration.loraRank, configuration.loraTargets, configuration.loraDropout) = (
                    2, ["query", "value", "output"], 0.1
                )
                configuration.pooling = .mean
            case .pairsOfAdapters:
                (configuration.loraRank, configuration.loraTargets, configuration.loraDropout) = (
                    2, ["query", "key", "intermediate"], 0
                )
                (configuration.precision, configuration.pooling) = (.bf16, .mean)
            case .tilesOfTwoTasks:
                (configuration.sourceTrain, configuration.lambda) = (configuration.train, 0.5)
                (configuration.precision, configuration.freeze) = (.bf16AMX, ["layers 0-0"])
            case .masked: configuration.task = .maskedLM
            case .regression:
                configuration.task = .regression
                (configuration.batchSize, configuration.accumulate) = (5, 2)
            case .layers: (configuration.layerDecay, configuration.headLearningRate) = (0.75, 5e-3)
            case .unfreezing: (configuration.unfreezeEvery, configuration.maxSteps) = (1, 8)
            case .twoTasks:
                (configuration.sourceTrain, configuration.lambda) = (configuration.train, 0.5)
                configuration.sharedLayers = 1
            }
        }
    }

    @Test(arguments: Job.allCases)
    func aFewStepsHaveTheRecordedBits(job: Job) async throws {
        let small = try SmallRun(samples: 70)
        let level = Arithmetic.vectorLevel
        defer {
            _ = useVectorLevel(level)
            Precision.use(.fastest)
        }
        for level in Arithmetic.vectorLevels {
            _ = useVectorLevel(level)
            for threads in [1, 2] {
                // A processor's unit for bf16 and what replaces it elsewhere.
                Precision.use(threads == 1 ? .none : .any)
                let inputs = try small.inputs {
                    job.change(&$0)
                    $0.threads = threads
                }
                let found = try await digest(inputs)
                #expect(found == job.digest, "\(level), \(threads) threads")
            }
        }
    }

    private func digest(_ inputs: RunInputs) async throws -> String {
        let replica = Replica(model: inputs.model, parameters: inputs.parameters, threads: inputs.configuration.threads)
        let engine = SingleProcessEngine(inputs: inputs, replica: replica, debug: false)
        for step in 1...inputs.plan.totalSteps {
            let plan = inputs.plan.step(step, order: inputs.plan.order(ofEpoch: inputs.plan.epoch(ofStep: step)))
            _ = try await engine.run(plan, next: nil, learningRate: inputs.schedule.rate(step: step))
        }
        return Digests.parameters(inputs.exportedTensors(try await engine.state().parameters))
    }
}
