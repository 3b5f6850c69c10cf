package import BERT
package import TextData

extension PackedBatch {
    /// Packs planned samples of a dataset with their labels.
    ///
    /// - Parameter step: optimizer step from 1, 0 in an evaluation; determines which words a masked-LM task hides.
    package init(_ samples: [PlannedSample], of dataset: TokenizedDataset, step: Int = 0, stream: TaskStream = .target)
    {
        self.init()
        fill(samples, of: dataset, step: step, stream: stream)
    }

    /// Packs other samples into the same memory.
    package mutating func fill(
        _ samples: [PlannedSample], of dataset: TokenizedDataset, step: Int = 0, stream: TaskStream = .target
    ) {
        var (rows, classes, values) = takeTargets()
        removeAll()
        self.stream = stream
        reserve(tokens: samples.reduce(0) { $0 + dataset.range(of: Int($1.sample)).count }, sentences: samples.count)
        for planned in samples {
            let sample = Int(planned.sample)
            let range = dataset.range(of: sample)
            let ids = dataset.ids[range]
            let first = Int32(tokenCount)
            switch dataset.labels {
            case .masked(let masking):
                append(
                    ids: ids, types: dataset.types.map { $0[range] }, position: Int(planned.position), sample: sample)
                masking.forEachAsked(ids, step: step, position: planned.position) { place, shown in
                    rows.append(first + Int32(place))
                    classes.append(ids[range.lowerBound + place])
                    self.ids[Int(first) + place] = shown
                }
                continue
            case .tokens(let labels):
                for token in labels.tokens[labels.range(of: sample)] { rows.append(first + token) }
                classes.append(contentsOf: labels.classes[labels.range(of: sample)])
            case .none, .classes, .values: break
            }
            append(ids: ids, types: dataset.types.map { $0[range] }, position: Int(planned.position), sample: sample)
        }
        switch dataset.labels {
        case .none: targets = .none
        case .classes(let known):
            for sample in samples { classes.append(known[Int(sample.sample)]) }
            targets = .classes(classes)
        case .values(let known, let width):
            for sample in samples {
                values.append(contentsOf: known[(Int(sample.sample) * width)..<((Int(sample.sample) + 1) * width)])
            }
            targets = .values(values)
        case .tokens, .masked: targets = .tokens(rows: rows, classes: classes)
        }
    }

    /// Packs consecutive samples of a dataset for an evaluation.
    package init(_ range: Range<Int>, of dataset: TokenizedDataset, stream: TaskStream = .target) {
        self.init(range.map { PlannedSample(evaluated: $0) }, of: dataset, stream: stream)
    }
}

extension PlannedSample {
    /// A sample in an evaluation.
    package init(evaluated sample: Int) { self.init(sample: Int32(sample), position: UInt32(sample)) }
}
