package import Kernels

/// The optimizer with its constants.
package struct OptimizerSettings: Sendable, Equatable {
    /// How weight decay acts; the names are those of `--optimizer`.
    package enum Kind: String, Codable, Sendable, CaseIterable {
        /// Decay is added to the gradient.
        case adam
        /// Decay shrinks the weights independently of the gradient (Loshchilov and Hutter 2019).
        case adamw
    }

    package var kind: Kind
    package var weightDecay: Double
    package var beta1 = 0.9
    package var beta2 = 0.999
    package var epsilon = 1e-8
    /// Largest global norm of the gradient; nil: not clipped.
    package var maxGradientNorm: Double?
    /// Factor on the learning rate by a parameter's depth, see ``BERT/BERTModel/depth(of:)``; one factor serves all
    /// depths.
    package var factors: [Double]
    /// Steps before the first update of each depth, which stays frozen until then; one number serves all depths.
    package var beginnings: [Int]

    package init(
        kind: Kind, weightDecay: Double, maxGradientNorm: Double?, factors: [Double] = [1], beginnings: [Int] = [0]
    ) {
        self.kind = kind
        self.weightDecay = weightDecay
        self.maxGradientNorm = maxGradientNorm
        self.factors = factors
        self.beginnings = beginnings
    }

    /// Factors by depth: 1 in the pooler, `decay` times that of the layer above in every layer and in the embeddings.
    package static func factors(layers: Int, decay: Double, head: Double) -> [Double] {
        var factors = [1.0]
        for _ in 0...layers { factors.append(factors[factors.count - 1] * decay) }
        return factors.reversed() + [head]
    }

    /// Factor on the gradient so that its norm stays within the limit, as torch.nn.utils.clip_grad_norm_ computes it.
    package func clippingFactor(norm: Double) -> Double {
        guard let limit = maxGradientNorm else { return 1 }
        return min(1, limit / (norm + 1e-6))
    }

    /// The update of one step, computed once and shared by all workers as bit patterns.
    ///
    /// The moments of a depth that was frozen at first are as old as its own updates, as in PyTorch.
    package func update(step: Int, learningRate: Double, gradientScale: Double) -> OptimizerUpdate {
        var update = OptimizerUpdate()
        update.fill(by: self, step: step, learningRate: learningRate, gradientScale: gradientScale)
        return update
    }

    fileprivate func group(age: Int, learningRate: Double, gradientScale: Double) -> OptimizerUpdate.Group {
        let correction1 = 1 - power(beta1, age)
        let correction2 = 1 - power(beta2, age)
        func constants(decay: Double) -> AdamConstants {
            AdamConstants(
                gradientScale: Float(gradientScale), beta1: Float(beta1), beta2: Float(beta2),
                oneMinusBeta1: Float(1 - beta1),
                oneMinusBeta2: Float(1 - beta2), stepSize: Float(learningRate / correction1),
                inverseRootCorrection: Float(1 / correction2.squareRoot()), epsilon: Float(epsilon),
                decayFactor: kind == .adamw ? Float(1 - learningRate * decay) : 1, l2: kind == .adam ? Float(decay) : 0)
        }
        return OptimizerUpdate.Group(decayed: constants(decay: weightDecay), plain: constants(decay: 0))
    }
}

/// The constants of one update, by depth, for parameters with and without weight decay.
package struct OptimizerUpdate: Sendable, Equatable {
    /// The constants at one depth.
    package struct Group: Sendable, Equatable {
        package var decayed: AdamConstants
        package var plain: AdamConstants

        package func constants(decays: Bool) -> AdamConstants { decays ? decayed : plain }
    }

    /// By depth; the last serves all greater depths.
    package private(set) var groups: [Group]

    /// Without constants: an update that is filled, step by step in the same memory.
    package init() { groups = [] }

    package init(groups: [Group]) {
        self.groups = groups
    }

    /// Takes the constants of another step.
    package mutating func fill(
        by settings: OptimizerSettings, step: Int, learningRate: Double, gradientScale: Double
    ) {
        let (factors, beginnings) = (settings.factors, settings.beginnings)
        groups.removeAll(keepingCapacity: true)
        for depth in 0..<max(factors.count, beginnings.count) {
            let age = max(1, step - beginnings[min(depth, beginnings.count - 1)])
            let rate = learningRate * factors[min(depth, factors.count - 1)]
            groups.append(settings.group(age: age, learningRate: rate, gradientScale: gradientScale))
        }
    }

    package subscript(depth: Int) -> Group { groups[min(depth, groups.count - 1)] }
}
