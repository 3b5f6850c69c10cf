@testable import Configuration
@testable import Learning

/// A way to train, which decides what is in the gradient and when it is complete.
enum Way: CaseIterable {
    /// Some lanes of a step are empty, and three workers have blocks of several sizes.
    case manyLanes
    case accumulated
    case twoTasks, maskedSource, masked
    case adapters, frozen, unfreezing
    case recomputed

    func change(_ configuration: inout TrainingConfiguration) {
        (configuration.lanes, configuration.batchSize) = (8, 5)
        switch self {
        case .manyLanes: break
        case .accumulated: (configuration.batchSize, configuration.accumulate) = (3, 3)
        case .twoTasks, .maskedSource:
            (configuration.sourceTrain, configuration.lambda) = (configuration.train, 0.5)
            configuration.sharedLayers = 2
            if self == .maskedSource { configuration.sourceTask = .maskedLM }
        case .masked: configuration.task = .maskedLM
        case .adapters:
            (configuration.loraRank, configuration.loraDropout) = (16, 0.1)
            configuration.loraTargets = ["query", "value", "output"]
            configuration.fromScratch = false
        case .frozen:
            configuration.freeze = ["embeddings", "layers 0-0"]
            configuration.fromScratch = false
        case .unfreezing:
            (configuration.unfreezeEvery, configuration.epochs) = (1, 5)
            configuration.fromScratch = false
        case .recomputed: configuration.recompute = true
        }
    }
}
