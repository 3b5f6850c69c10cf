package import BERT
package import TextData

extension PackedBatch {
    /// Packs planned samples of a dataset with their labels.
    package init(_ samples: [PlannedSample], of dataset: TokenizedDataset) {
        self.init()
        for planned in samples {
            let range = dataset.range(of: Int(planned.sample))
            append(
                ids: dataset.ids[range], types: dataset.types.map { $0[range] }, position: Int(planned.position),
                sample: Int(planned.sample))
        }
        switch dataset.labels {
        case .none: targets = .none
        case .classes(let classes): targets = .classes(samples.map { classes[Int($0.sample)] })
        case .targets(let values): targets = .values(samples.map { values[Int($0.sample)] })
        }
    }

    /// Packs consecutive samples of a dataset.
    package init(_ range: Range<Int>, of dataset: TokenizedDataset) {
        self.init(range.map { PlannedSample(sample: Int32($0), position: 0) }, of: dataset)
    }
}
