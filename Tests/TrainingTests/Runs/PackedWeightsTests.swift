import Kernels
import Tensors
import Testing

@testable import Configuration
@testable import Learning
@testable import Runs

/// Weights in bf16, which are rounded and packed before products.
@Suite struct PackedWeightsTests {
    @Test(arguments: [1, 2])
    func `an evaluation of many chunks packs the weights once`(threads: Int) throws {
        let inputs = try SmallRun(samples: 5 * Evaluation.chunkSize).inputs { $0.precision = .bf16 }
        let runner = LaneRunner(model: inputs.model, laneCount: 1, threads: threads)
        _ = try Evaluation.run(inputs.train, runner: runner, parameters: inputs.parameters.view)
        #expect(runner.packings == 1)
    }
}
