internal import BERT
internal import Configuration
internal import Learning
internal import Tensors
internal import Wording

/// A description of how much of a model is trained.
struct TrainedShare {
    let trained: Int
    let all: Int
    /// The parts that are trained, from the bottom.
    let parts: [String]

    init(_ model: BERTModel) {
        trained = model.layout.stateCount
        all = model.layout.count
        parts = Self.parts(model)
    }

    var text: String {
        guard trained < all else { return "training all \(grouped(all)) parameters" }
        return
            "training \(grouped(trained)) of \(grouped(all)) parameters (\(Self.share(trained, all)) %): "
            + "\(parts.joined(separator: ", "))"
    }

    /// The effect of gradual unfreezing.
    /// - Parameter whole: the model with all that is ever trained.
    static func growth(every epochs: Int, until whole: BERTModel) -> String {
        let embeddings = whole.layout.entries.contains { $0.gradientOffset != nil && whole.depth(of: $0.name) == 0 }
        return "; one more layer every \(epochs == 1 ? "epoch" : "\(epochs) epochs"), from the top"
            + (embeddings ? ", then the embeddings" : "")
    }

    private static func share(_ part: Int, _ all: Int) -> String {
        let share = 100 * Double(part) / Double(max(1, all))
        return decimal(share, share < 1 ? 2 : 1)
    }

    private static func parts(_ model: BERTModel, without other: BERTModel? = nil) -> [String] {
        func depths(_ model: BERTModel?, adapters: Bool) -> Set<Int> {
            guard let model else { return [] }
            return Set(
                model.layout.entries.filter { $0.gradientOffset != nil && LoRA.isAdapter($0.name) == adapters }.map {
                    model.depth(of: $0.name)
                })
        }
        let layers = model.shape.layers
        let own = depths(model, adapters: false).subtracting(depths(other, adapters: false))
        let adapters = depths(model, adapters: true).subtracting(depths(other, adapters: true))
        func ranges(_ depths: Set<Int>) -> [String] {
            Self.ranges(depths.filter { $0 >= 1 && $0 <= layers }.map { $0 - 1 })
        }
        return (own.contains(0) ? ["embeddings"] : []) + ranges(own) + ranges(adapters).map { "adapters of \($0)" }
            + (own.contains(layers + 1) ? ["pooler"] : []) + (own.contains(layers + 2) ? ["head"] : [])
    }

    /// Layers as text, such as `layers 0-3` and `layer 5`.
    static func ranges(_ layers: [Int]) -> [String] {
        var ranges: [ClosedRange<Int>] = []
        for layer in layers.sorted() {
            if let last = ranges.last, last.upperBound + 1 == layer {
                ranges[ranges.count - 1] = last.lowerBound...layer
            } else {
                ranges.append(layer...layer)
            }
        }
        return ranges.map { $0.count == 1 ? "layer \($0.lowerBound)" : "layers \($0.lowerBound)-\($0.upperBound)" }
    }

    /// Parts that `model` trains and `other` does not.
    static func added(_ model: BERTModel, to other: BERTModel) -> String {
        parts(model, without: other).joined(separator: ", ")
    }
}

extension RunInputs {
    /// The parts that an epoch trains in addition, as text; nil if nothing changes.
    func stage(ofEpoch epoch: Int) -> String? {
        guard configuration.unfreezeEvery != nil, epoch > 1 else { return nil }
        let first = (epoch - 1) * plan.stepsPerEpoch + 1
        guard freeze(ofStep: first) != freeze(ofStep: first - 1), let now = try? model(ofStep: first),
            let before = try? model(ofStep: first - 1),
            now.layout.stateCount != before.layout.stateCount
        else { return nil }
        return
            "epoch \(epoch)/\(plan.begunEpochs): from here on also \(TrainedShare.added(now, to: before)); "
            + "\(TrainedShare(now).text)"
    }

    /// The parts trained from a step on, as text.
    func trainedShare(fromStep step: Int) -> String {
        let model = (try? model(ofStep: step)) ?? model
        let whole = (try? FrozenParameters(freeze, lora: model.lora)).map { model.freezing($0.contains) } ?? model
        let more = configuration.unfreezeEvery.map { TrainedShare.growth(every: $0, until: whole) } ?? ""
        return TrainedShare(model).text + (needsParametersFile ? " (\(Self.parametersFile))" : "") + more
    }

    /// ``parametersFile``: each parameter, its size, whether it is trained, and how it is initialized.
    var parametersTable: String {
        let random = Set(initialized)
        let whole = try? model(ofStep: plan.totalSteps)
        let rows = model.layout.entries.enumerated().map { index, entry in
            let later = entry.gradientOffset == nil && whole?.layout.entries[index].gradientOffset != nil
            return [
                entry.name, entry.shape.map(String.init).joined(separator: "x"), String(entry.count),
                entry.gradientOffset != nil ? "yes" : later ? "later" : "no",
                random.contains(entry.name) ? "random" : "source",
            ].joined(separator: "\t") + "\n"
        }
        return "name\tshape\tparameters\ttrained\tbegins\n" + rows.joined()
    }
}
