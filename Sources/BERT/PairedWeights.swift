internal import Kernels
package import Tensors

/// The weights of the encoder's products in one layer, by what they are for.
enum EncoderWeight: Int, CaseIterable {
    case query
    /// Key and value together.
    case keyValue
    case attention
    case inner
    case outer

    /// Outputs and inputs.
    func size(in shape: BERTShape) -> (outputs: Int, inputs: Int) {
        let (d, f) = (shape.width, shape.feedForward)
        return switch self {
        case .query, .attention: (d, d)
        case .keyValue: (2 * d, d)
        case .inner: (f, d)
        case .outer: (d, f)
        }
    }
}

/// The encoder's weights, rounded to bf16 and packed for the products of forward and backward pass.
struct PairedWeights: Sendable {
    /// For each layer and ``EncoderWeight``: for `x Wᵀ`, and for `dy W`.
    private let forward: [RightFactor]
    private let backward: [RightFactor]
    let order: ProductOrder

    func forward(_ layer: Int, _ weight: EncoderWeight) -> RightFactor {
        forward[layer * EncoderWeight.allCases.count + weight.rawValue]
    }

    func backward(_ layer: Int, _ weight: EncoderWeight) -> RightFactor {
        backward[layer * EncoderWeight.allCases.count + weight.rawValue]
    }

    /// Rounds a model's weights, on the team's threads.
    /// - Parameters:
    ///   - trains: whether the backward pass will need them, too.
    ///   - memory: reused if it is large enough.
    init(
        _ model: BERTModel, _ order: ProductOrder, _ parameters: FloatView, trains: Bool, memory: inout FloatBuffer?
    ) {
        self.order = order
        let shape = model.shape
        let sizes = EncoderWeight.allCases.map { $0.size(in: shape) }
        let count =
            shape.layers
            * sizes.reduce(0) {
                $0 + RightFactor.size(columns: $1.outputs, inner: $1.inputs)
                    + (trains ? RightFactor.size(columns: $1.inputs, inner: $1.outputs) : 0)
            }
        let buffer = memory.flatMap { $0.count >= count ? $0 : nil } ?? FloatBuffer(count: count, whole: count)
        memory = buffer
        let whole = buffer.view
        var next = 0
        func place(columns: Int, inner: Int) -> RightFactor {
            defer { next += RightFactor.size(columns: columns, inner: inner) }
            return RightFactor(
                columns: columns, inner: inner,
                memory: whole.part(from: next, count: RightFactor.size(columns: columns, inner: inner)))
        }
        let weights = Weights(layout: model.layout, values: parameters)
        var (forward, backward): ([RightFactor], [RightFactor]) = ([], [])
        var matrices: [Matrix] = []
        for layer in 0..<shape.layers {
            for weight in EncoderWeight.allCases {
                let (outputs, inputs) = sizes[weight.rawValue]
                forward.append(place(columns: outputs, inner: inputs))
                if trains { backward.append(place(columns: inputs, inner: outputs)) }
                matrices.append(weights.matrix(model.places.layers[layer], weight, width: shape.width))
            }
        }
        (self.forward, self.backward) = (forward, backward)
        // Some panels at a time: a weight's columns, then its rows.
        let share = 4
        let pieces = (forward + backward).map { ($0.panels + share - 1) / share }
        let ends = pieces.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
        Team.run(ends[ends.count - 1], threads: Team.threads) { piece in
            var (low, high) = (0, pieces.count)
            while high - low > 1 {
                let middle = (low + high) / 2
                if ends[middle] <= piece { low = middle } else { high = middle }
            }
            let first = (piece - ends[low]) * share
            if low < forward.count {
                forward[low].fill(first..<min(first + share, forward[low].panels), turning: matrices[low])
            } else {
                let factor = backward[low - forward.count]
                factor.fill(first..<min(first + share, factor.panels), from: matrices[low - forward.count])
            }
        }
    }
}

/// Memory for packed weights that is reused from step to step, and the weights that it holds.
package final class PairMemory {
    fileprivate var buffer: FloatBuffer?
    /// The weights packed last, if they are of a named state.
    fileprivate var last: (state: Int, weights: Weights)?
    /// How often weights were packed.
    package fileprivate(set) var packings = 0

    package init() {}
}

extension BERTModel {
    /// The weights as the model's passes read them: in bf16 the encoder's are rounded and packed here, by the team.
    /// - Parameters:
    ///   - parameters: (layout.count); packed weights do not follow later changes.
    ///   - trains: whether there will be a backward pass.
    ///   - state: a number for what the parameters contain: weights that the memory holds of the same state, for no
    ///     backward pass, are not packed again.
    ///   - memory: for packed weights; until its next use they stay valid.
    package func weights(
        _ parameters: FloatView, trains: Bool, state: Int? = nil, memory: PairMemory = PairMemory()
    ) -> Weights {
        guard let order = precision.order else { return Weights(layout: layout, values: parameters) }
        if let last = memory.last, last.state == state, !trains { return last.weights }
        let pairs = PairedWeights(
            self, order, parameters, trains: trains && lowestTrainedLayer < shape.layers, memory: &memory.buffer)
        memory.packings += 1
        let weights = Weights(layout: layout, values: parameters, pairs: pairs)
        memory.last = trains ? nil : state.map { ($0, weights) }
        return weights
    }
}
