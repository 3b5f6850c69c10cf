internal import BERT
internal import Configuration
internal import Learning
internal import Tensors
internal import Wording

/// What `--freeze` does to adapters. Their second matrix begins at zero, and an adapter whose second matrix is frozen
/// changes nothing.
struct FrozenAdapters {
    /// Layers in which a target's adapter stays at zero.
    private var layers: [LoRA.Target: [Int]] = [:]
    private let layerCount: Int
    /// A first matrix that is trained in front of a frozen second one.
    private var futile: String?

    init(_ model: BERTModel, _ lora: LoRA) {
        let trained = Set(model.layout.entries.filter { $0.gradientOffset != nil }.map(\.name))
        layerCount = model.shape.layers
        for target in lora.targets {
            for layer in 0..<model.shape.layers {
                let (first, second) = LoRA.names(of: target, inLayer: layer)
                guard !trained.contains(second) else { continue }
                layers[target, default: []].append(layer)
                if trained.contains(first) { futile = futile ?? second }
            }
        }
    }

    /// Refuses patterns that take an adapter's effect away but not its work, or the effect of all adapters of a target.
    func check(_ lora: LoRA) throws(InputError) {
        if let futile {
            throw InputError(
                "--freeze keeps \(futile) at zero, where its adapter begins, so that the adapter's other matrix would "
                    + "be trained for nothing: freeze lora_A instead, or neither")
        }
        guard let target = lora.targets.first(where: { layers[$0]?.count == layerCount }) else { return }
        let rest = lora.targets.filter { layers[$0]?.count != layerCount }.map(\.rawValue).joined(separator: " ")
        throw InputError(
            "--freeze keeps all adapters of \(target.rawValue) at zero, where they begin; the source's own weights are "
                + "frozen by --lora-rank anyway: leave out that pattern"
                + (rest.isEmpty ? "" : ", or adapt the others with --lora-targets \(rest)"))
    }

    /// What `--freeze` leaves of adapters, or that it changes nothing: one line each.
    static func notes(_ configuration: TrainingConfiguration, _ model: BERTModel) throws(InputError) -> [String] {
        guard let lora = model.lora, !configuration.freeze.isEmpty else { return [] }
        var notes: [String] = []
        let free = model.freezing(try FrozenParameters([], lora: lora).contains)
        let trained = free.layout.entries.filter { $0.gradientOffset != nil }.map(\.name)
        for pattern in configuration.freeze {
            let frozen = try FrozenParameters([pattern])
            if !trained.contains(where: frozen.contains) {
                notes.append(
                    "--freeze '\(pattern)' changes nothing: --lora-rank freezes all of the source but its head already")
            }
        }
        let all = try FrozenParameters(configuration.freeze, lora: lora)
        let zero = FrozenAdapters(model.freezing(all.contains), lora).layers
        guard !zero.isEmpty else { return notes }
        let parts = lora.targets.compactMap { target in
            zero[target].map { "\(target.rawValue) in \(TrainedShare.ranges($0).joined(separator: ", "))" }
        }
        let count = zero.values.reduce(0) { $0 + $1.count }
        notes.append(
            "--freeze keeps \(count) of \(lora.targets.count * model.shape.layers) adapters at zero, where they begin: "
                + parts.joined(separator: "; "))
        return notes
    }
}
