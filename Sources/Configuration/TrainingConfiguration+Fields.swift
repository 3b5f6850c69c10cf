internal import Kernels

extension TrainingConfiguration {
    /// One option as an untyped value, to read, compare and write all options uniformly.
    struct Field {
        let needed: String
        let read: (TrainingConfiguration) -> ConfigurationValue
        /// False, without a change, if the value does not have the field's type.
        let write: (inout TrainingConfiguration, ConfigurationValue) -> Bool

        init<Entry: ConfigurationEntry>(_ path: WritableKeyPath<TrainingConfiguration, Entry>) {
            needed = Entry.needed
            read = { $0[keyPath: path].value }
            write = { configuration, value in
                guard let entry = Entry(value) else { return false }
                configuration[keyPath: path] = entry
                return true
            }
        }
    }

    static func field(_ key: Key) -> Field {
        switch key {
        case .model: Field(\.model)
        case .train: Field(\.train)
        case .validation: Field(\.validation)
        case .validationSplit: Field(\.validationSplit)
        case .test: Field(\.test)
        case .output: Field(\.output)
        case .epochs: Field(\.epochs)
        case .batchSize: Field(\.batchSize)
        case .learningRate: Field(\.learningRate)
        case .optimizer: Field(\.optimizer)
        case .weightDecay: Field(\.weightDecay)
        case .schedule: Field(\.schedule)
        case .warmupSteps: Field(\.warmupSteps)
        case .maxSteps: Field(\.maxSteps)
        case .maxGradNorm: Field(\.maxGradNorm)
        case .accumulate: Field(\.accumulate)
        case .maxLength: Field(\.maxLength)
        case .dropout: Field(\.dropout)
        case .seed: Field(\.seed)
        case .seeds: Field(\.seeds)
        case .metric: Field(\.metric)
        case .patience: Field(\.patience)
        case .evalEvery: Field(\.evalEvery)
        case .lanes: Field(\.lanes)
        case .blas: Field(\.blas)
        case .precision: Field(\.otherPrecision)
        case .threads: Field(\.threads)
        case .freeze: Field(\.freeze)
        case .unfreezeEvery: Field(\.unfreezeEvery)
        case .layerDecay: Field(\.layerDecay)
        case .headLearningRate: Field(\.headLearningRate)
        case .reinitializeLayers: Field(\.reinitializeLayers)
        case .fromScratch: Field(\.fromScratch)
        case .addTokens: Field(\.addTokens)
        case .extendPositions: Field(\.extendPositions)
        case .loraRank: Field(\.loraRank)
        case .loraAlpha: Field(\.loraAlpha)
        case .loraTargets: Field(\.loraTargets)
        case .loraDropout: Field(\.loraDropout)
        case .checkpointEvery: Field(\.checkpointEvery)
        case .keep: Field(\.keep)
        case .resume: Field(\.resume)
        case .minWorkers: Field(\.minWorkers)
        case .maxRestarts: Field(\.maxRestarts)
        case .coordinatorTimeout: Field(\.coordinatorTimeout)
        case .heartbeatTimeout: Field(\.heartbeatTimeout)
        case .progressTimeout: Field(\.progressTimeout)
        case .insecure: Field(\.insecure)
        case .progress: Field(\.progress)
        case .noTensorboard: Field(\.noTensorboard)
        case .recompute: Field(\.recompute)
        case .inputFormat: Field(\.inputFormat)
        case .textColumn: Field(\.textColumn)
        case .pairColumn: Field(\.pairColumn)
        case .labelColumn: Field(\.labelColumn)
        case .task: Field(\.task)
        case .pooling: Field(\.pooling)
        case .labelSmoothing: Field(\.labelSmoothing)
        case .classWeights: Field(\.classWeights)
        case .wholeWordMasking: Field(\.wholeWordMasking)
        case .sourceTrain: Field(\.sourceTrain)
        case .sourceValidation: Field(\.sourceValidation)
        case .sourceTask: Field(\.sourceTask)
        case .sourceBatchSize: Field(\.sourceBatchSize)
        case .lambda: Field(\.lambda)
        case .lambdaEnd: Field(\.lambdaEnd)
        case .lambdaSchedule: Field(\.lambdaSchedule)
        case .sharedLayers: Field(\.sharedLayers)
        case .sourceTextColumn: Field(\.sourceTextColumn)
        case .sourcePairColumn: Field(\.sourcePairColumn)
        case .sourceLabelColumn: Field(\.sourceLabelColumn)
        }
    }

    /// The precision, if it is not the usual one: older builds know no other, and can go on with a run without it.
    private var otherPrecision: Precision? {
        get { precision == .float32 ? nil : precision }
        set { precision = newValue ?? .float32 }
    }

    package func value(_ key: Key) -> ConfigurationValue { Self.field(key).read(self) }
}
