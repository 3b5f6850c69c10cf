package import BERT
internal import Learning
internal import Wording

extension TrainingConfiguration {
    /// Refuses invalid and contradictory options about what is trained and how fast.
    func validateAdaptation() throws(ConfigurationError) {
        _ = try seedList
        if seeds != nil, seed != 0 {
            throw .contradiction("--seeds names the seed of each run, --seed names another: leave one out")
        }
        try need(.patience, patience, from: 1)
        try need(.evalEvery, evalEvery, from: 1)
        let watching: [(Key, Bool)] = [
            (.patience, patience != nil), (.metric, metric != nil), (.evalEvery, evalEvery != nil),
        ]
        if let validationSplit {
            try need(
                .validationSplit, validationSplit > 0 && validationSplit < 1, "a share above 0 and below 1, such as 0.1"
            )
            if validation != nil {
                throw .contradiction(
                    "--validation names the data to score, --validation-split takes them from --train: leave one out")
            }
        }
        if !hasValidation, let (key, _) = watching.first(where: \.1) {
            guard key == .evalEvery, sourceValidation != nil else {
                throw .contradiction(
                    "\(key.flag) needs validation data: add --validation or --validation-split, or leave it out")
            }
        }
        try need(.unfreezeEvery, unfreezeEvery, from: 1)
        if let unfreezeEvery, maxSteps == nil, !resume, Double(unfreezeEvery) >= epochs.passes {
            throw .contradiction(
                "--unfreeze-every \(unfreezeEvery) trains the first layer after \(counted(unfreezeEvery, "epoch")), "
                    + "and the run has \(epochs.value.shown): give more --epochs, or --freeze encoder")
        }
        try need(.layerDecay, layerDecay > 0 && layerDecay <= 1, "above 0 and at most 1")
        if let headLearningRate {
            try need(
                .headLearningRate, headLearningRate >= 0 && headLearningRate.isFinite, "a finite number of at least 0")
            if learningRate == 0 {
                throw .contradiction(
                    "--learning-rate is 0 and --head-learning-rate is not: use --freeze encoder to train only the head")
            }
        }
        try need(.reinitializeLayers, reinitializeLayers, from: 0)
        if fromScratch, reinitializeLayers > 0 {
            throw .contradiction(
                "--from-scratch initializes all layers at random, --reinitialize-layers some: leave one out")
        }
        if fromScratch, !freeze.isEmpty || unfreezeEvery != nil {
            throw .contradiction(
                "--from-scratch has no source weights to keep: leave out "
                    + "\(freeze.isEmpty ? "--unfreeze-every" : "--freeze")"
            )
        }
        try need(.loraRank, loraRank, from: 1, through: Self.mostRank)
        if let loraAlpha { try need(.loraAlpha, loraAlpha > 0 && loraAlpha.isFinite, "a finite number above 0") }
        if let loraDropout {
            try need(.loraDropout, loraDropout >= 0 && loraDropout < 1, "a probability of at least 0 and below 1")
        }
        guard loraRank != nil else {
            let given: [(Key, Bool)] = [
                (.loraAlpha, loraAlpha != nil), (.loraTargets, !loraTargets.isEmpty),
                (.loraDropout, loraDropout != nil),
            ]
            if let (key, _) = given.first(where: \.1) {
                throw .contradiction("\(key.flag) needs adapters: add --lora-rank 8, or leave it out")
            }
            return
        }
        if fromScratch {
            throw .contradiction("--lora-rank adapts the source's weights, --from-scratch discards them: leave one out")
        }
        if reinitializeLayers > 0 {
            throw .contradiction(
                "--reinitialize-layers would leave random weights frozen below adapters: leave out one of them")
        }
        _ = try adapters
    }

    /// The seeds of several runs; nil for one.
    package var seedList: [UInt64]? {
        get throws(ConfigurationError) {
            guard let seeds else { return nil }
            let list = seeds.split(separator: ",", omittingEmptySubsequences: false).map {
                UInt64($0.filter { $0 != " " })
            }
            let found = list.compactMap { $0 }
            guard found.count == list.count, Set(found).count == found.count, !found.isEmpty else {
                throw .outOfRange(
                    key: .seeds, found: seeds, needed: "different whole numbers of at least 0, separated by commas")
            }
            return found
        }
    }

    /// The requested adapters; nil for none.
    package var adapters: LoRA? {
        get throws(ConfigurationError) {
            guard let rank = loraRank else { return nil }
            var targets: [LoRA.Target] = []
            for name in loraTargets.flatMap({ $0.split(separator: ",").map(String.init) }) {
                let plain = name.hasSuffix(".dense") ? String(name.dropLast(6)) : name
                guard let target = LoRA.Target(rawValue: plain) else {
                    let known = LoRA.Target.allCases.map(\.rawValue)
                    throw .contradiction(
                        "--lora-targets names '\(name)', which no encoder layer has: "
                            + (NearMiss.of(plain, among: known).map { "did you mean '\($0)'?" }
                                ?? "expected one of \(known.joined(separator: ", "))")
                    )
                }
                targets.append(target)
            }
            return LoRA(
                rank: rank, alpha: loraAlpha ?? 8, targets: targets.isEmpty ? [.query, .value] : targets,
                dropout: loraDropout ?? 0)
        }
    }

    /// Factors on the learning rate by depth, see ``BERT/BERTModel/depth(of:)``.
    package func learningRateFactors(layers: Int) -> [Double] {
        OptimizerSettings.factors(
            layers: layers, decay: layerDecay, head: headLearningRate.map { $0 / learningRate } ?? 1)
    }

    /// Steps before the first update of each depth.
    package func beginnings(layers: Int, stepsPerEpoch: Int) -> [Int] {
        unfreezeEvery.map { Unfreezing(every: $0, layers: layers).beginnings(stepsPerEpoch: stepsPerEpoch) } ?? [0]
    }
}
