internal import Kernels
package import Tensors

/// Low-rank adapters: `y = x Wᵀ + (alpha / rank) dropout(x) Aᵀ Bᵀ`, with W frozen.
///
/// Source: Hu et al. 2021; names, shapes and first values are those of PEFT.
package struct LoRA: Sendable, Equatable, Codable {
    /// A product of the encoder that can have an adapter.
    package enum Target: String, Sendable, Codable, CaseIterable {
        case query, key, value
        case attentionOutput = "attention.output"
        case intermediate, output

        /// Hugging Face's name of the product in one encoder layer.
        package func product(ofLayer layer: Int) -> String { "bert.encoder.layer.\(layer).\(module)" }

        /// The product's name within its layer.
        package var module: String {
            switch self {
            case .query, .key, .value: "attention.self.\(rawValue)"
            case .attentionOutput, .intermediate, .output: "\(rawValue).dense"
            }
        }

        /// Outputs and inputs of the product.
        func size(in shape: BERTShape) -> (outputs: Int, inputs: Int) {
            switch self {
            case .query, .key, .value, .attentionOutput: (shape.width, shape.width)
            case .intermediate: (shape.feedForward, shape.width)
            case .output: (shape.width, shape.feedForward)
            }
        }

        var site: DropoutSite {
            switch self {
            case .query: .queryAdapter
            case .key: .keyAdapter
            case .value: .valueAdapter
            case .attentionOutput: .attentionOutputAdapter
            case .intermediate: .intermediateAdapter
            case .output: .outputAdapter
            }
        }
    }

    package let rank: Int
    package let alpha: Double
    /// In the order of ``Target``, each once.
    package let targets: [Target]
    package let dropout: Double
    /// Whether the pooler is trained too: if the source has none, its new values must be learned.
    package var trainsPooler = false

    package init(rank: Int, alpha: Double, targets: [Target], dropout: Double) {
        precondition(rank > 0, "adapters of rank \(rank)")
        self.rank = rank
        self.alpha = alpha
        self.targets = Target.allCases.filter(targets.contains)
        self.dropout = dropout
    }

    var scale: Float { Float(alpha / Double(rank)) }

    /// The names of an adapter's two matrices, in the order of their products.
    package static func names(of target: Target, inLayer layer: Int) -> (first: String, second: String) {
        let product = target.product(ofLayer: layer)
        return ("\(product).lora_A.weight", "\(product).lora_B.weight")
    }

    /// Whether the name is that of an adapter's parameter.
    package static func isAdapter(_ name: String) -> Bool {
        name.hasSuffix(".lora_A.weight") || name.hasSuffix(".lora_B.weight")
    }
}

/// Numbers of one adapter's two matrices in the layout: A (rank, inputs) and B (outputs, rank).
struct AdapterPlaces: Sendable {
    let down: Int
    let up: Int
}

/// Values of an adapter's forward pass that its backward pass needs.
struct AdapterTape {
    /// (R, inputs), after dropout.
    let input: Matrix
    let bits: BitView?
    /// (R, rank), times alpha / rank.
    let inner: Matrix
}

/// The adapters of one layer's forward pass.
typealias AdapterTapes = [LoRA.Target: AdapterTape]

extension BERTModel {
    /// Adds an adapter's share to the product `y` (R, outputs) of `x` (R, inputs), if there is an adapter.
    /// - Parameter copies: whether `x` ends before the tape.
    func adapt(
        _ target: LoRA.Target, ofLayer layer: Int, _ x: Matrix, onto y: Matrix, rows: ReadRows, _ batch: PackedBatch,
        _ weights: Weights,
        dropout: DropoutContext?, arena: Arena, copies: Bool, _ tapes: inout AdapterTapes
    ) {
        guard let lora, let places = places.layers[layer].adapters[target] else { return }
        var input = x
        let bits = dropout.flatMap {
            $0.bits(
                $0.adapter, rows: rows, of: batch, columns: x.columns, layer: layer, site: target.site, arena: arena)
        }
        if let bits, let dropout {
            input = arena.take(rows: x.rows, columns: x.columns)
            Kernels.dropout(x, bits: bits, rate: dropout.adapter, into: input)
        } else if copies {
            input = arena.take(rows: x.rows, columns: x.columns)
            input.elements.copy(from: x.elements)
        }
        let inner = arena.take(rows: x.rows, columns: lora.rank)
        multiply(input, .plain, weights.matrix(places.down), .transposed, into: inner, scale: lora.scale)
        multiply(inner, .plain, weights.matrix(places.up), .transposed, into: y, accumulate: true)
        tapes[target] = AdapterTape(input: input, bits: bits, inner: inner)
    }

    /// The backward pass of ``adapt``: `gradient` (R, outputs) is the product's.
    ///
    /// - Parameter inputGradient: (R, inputs), receives the adapter's share by addition; nil if it is not needed.
    func adaptBackward(
        _ target: LoRA.Target, ofLayer layer: Int, _ gradient: Matrix, onto inputGradient: Matrix?,
        _ layerTape: LayerTape, _ weights: Weights, dropout: DropoutContext?, sink: GradientSink, arena: Arena
    ) {
        guard let lora, let places = places.layers[layer].adapters[target], let tape = layerTape.adapters[target]
        else { return }
        // Keys and values have all rows.
        let lanes = target == .key || target == .value ? layerTape.allLanes : layerTape.lanes
        sink.product(places.up, gradient, tape.inner, lanes)
        guard inputGradient != nil || sink.isTrained(places.down) else { return }
        let inner = arena.take(rows: gradient.rows, columns: lora.rank)
        multiply(gradient, .plain, weights.matrix(places.up), .plain, into: inner, scale: lora.scale)
        sink.product(places.down, inner, tape.input, lanes)
        guard let inputGradient else { return }
        guard let bits = tape.bits, let dropout else {
            multiply(inner, .plain, weights.matrix(places.down), .plain, into: inputGradient, accumulate: true)
            return
        }
        let share = arena.take(rows: inputGradient.rows, columns: inputGradient.columns)
        multiply(inner, .plain, weights.matrix(places.down), .plain, into: share)
        Kernels.dropout(share, bits: bits, rate: dropout.adapter, into: share)
        add(share.elements, to: inputGradient.elements)
    }

    /// The weights with every adapter's product added to its weight: a model without adapters computes the same with
    /// them.
    package func merged(_ parameters: FloatBuffer) -> FloatBuffer {
        guard let lora else { return parameters }
        let merged = FloatBuffer(count: parameters.count)
        merged.view.copy(from: parameters.view)
        let weights = Weights(layout: layout, values: merged.view)
        for (layer, place) in places.layers.enumerated() {
            for (target, adapter) in place.adapters {
                guard let product = layout.index(of: target.product(ofLayer: layer) + ".weight") else { continue }
                multiply(
                    weights.matrix(adapter.up), .plain, weights.matrix(adapter.down), .plain,
                    into: weights.matrix(product), scale: lora.scale,
                    accumulate: true)
            }
        }
        return merged
    }
}
