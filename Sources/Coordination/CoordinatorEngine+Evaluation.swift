internal import BERT
internal import Cluster
internal import Configuration
internal import Console
package import Learning
internal import Runs
internal import TextData
internal import Wording

extension CoordinatorEngine {
    package func evaluate(_ split: Split, counting scored: ScoredSamples) async throws -> Evaluated {
        guard let dataset = inputs.datasets[split] else {
            throw RunError("there is no \(split.rawValue) data to evaluate")
        }
        let count = Evaluation.chunks(of: dataset.count).count
        let head = inputs.model.head(of: split.stream)
        let kept = ScorePlan(dataset, head, inputs.model.shape).map(EvaluationScores.init)
        let scores = try await withCommitted { group, _ in
            let data = self.data
            let features = try await self.features(split, group)
            var scores: [ScoredChunk] = []
            scored.begin(of: dataset.count)
            let chunks = self.chunksARound(split.stream)
            let round = chunks * group.members.count
            for start in stride(from: 0, to: count, by: round) {
                try self.stop.check()
                let shares = Self.shares(Array(start..<min(start + round, count)), group)
                let feeding = data.begin { core in
                    try core.feed(shares, of: dataset, as: .chunk, features: features, scored: kept?.plan)
                    if let kept { try core.receiveScores(Set(shares.joined().filter(kept.plan.keeps)), into: kept) }
                }
                let limit = self.pace.limit(samples: chunks * Evaluation.chunkSize)
                let answers = try await self.callAll(
                    group, within: limit, meanwhile: { try await feeding.orEnd("samples could not be sent") }
                ) { proxy, rank in
                    try await proxy.evaluate(chunks: shares[rank], of: split.stream)
                }
                try self.check(answers, shares, of: dataset, split)
                scores += answers.joined()
                scored.add(answers.joined().reduce(0) { $0 + $1.score.samples })
            }
            return scores
        }
        let ordered = scores.sorted { $0.chunk < $1.chunk }
        guard ordered.map(\.chunk) == Array(0..<count) else {
            throw RunError("an evaluation missed some of its \(count) chunks: this is a defect")
        }
        let names = split.stream == .target ? inputs.labels?.names : nil
        return Evaluated(
            report: EvaluationReport(ordered.map(\.score), head, names: names, scores: kept.map { ($0, dataset) }),
            scores: kept)
    }

    /// Chunks dealt to the workers one after another.
    private static func shares(_ chunks: [Int], _ group: Group) -> [[Int]] {
        let workers = group.members.count
        return (0..<workers).map { rank in chunks.indices.filter { $0 % workers == rank }.map { chunks[$0] } }
    }

    /// A dataset's features, computed by the workers when they are first needed; nil where they are not the same at
    /// every step.
    func features(_ split: Split, _ group: Group) async throws -> FeatureStore? {
        guard group.hasFeatures, let dataset = inputs.datasets[split] else {
            featureStores = [:]
            return nil
        }
        if let store = featureStores[split] { return store }
        let store = FeatureStore(samples: dataset.count, width: inputs.model.shape.width)
        let activity = Activity(
            "computing the frozen encoder's output for \(dataset.count) \(split.rawValue) samples", of: dataset.count)
        defer { activity.end() }
        let chunks = Array(Evaluation.chunks(of: dataset.count).indices)
        let round = longestRound * group.members.count
        for start in stride(from: 0, to: chunks.count, by: round) {
            try stop.check()
            let shares = Self.shares(Array(chunks[start..<min(start + round, chunks.count)]), group)
            let data = data
            let arriving = data.begin { core in
                try core.feed(shares, of: dataset, as: .featureChunk, features: nil)
                try core.receiveFeatures(shares.reduce(0) { $0 + $1.count }, of: dataset, into: store)
            }
            let limit = pace.limit(samples: dataset.count)
            _ = try await callAll(
                group, within: limit, meanwhile: { try await arriving.orEnd("features did not arrive") }
            ) { proxy, rank in
                try await proxy.computeFeatures(chunks: shares[rank])
            }
            activity.advance(by: round * Evaluation.chunkSize)
        }
        featureStores[split] = store
        return store
    }

    /// Chunks that a worker computes before it answers, so that no call takes long, and a stop does not wait long: four
    /// for each of its threads.
    private var longestRound: Int { min(64, 4 * max(1, threads)) }

    /// As many, or fewer where the answers would be longer than a message may be.
    private func chunksARound(_ stream: TaskStream) -> Int {
        let head = inputs.model.head(of: stream)
        let chunk = head.mostScoreBytes(length: inputs.configuration.lengthLimit) * Evaluation.chunkSize
        return max(1, min(longestRound, system.largestAnswer / 2 / max(1, chunk)))
    }
}
