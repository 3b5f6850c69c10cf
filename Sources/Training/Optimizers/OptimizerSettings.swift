private import Foundation
package import Kernels

/// Which optimizer, with its constants.
package struct OptimizerSettings: Sendable, Equatable {
    package enum Kind: String, Codable, Sendable, CaseIterable {
        /// Decay is added to the gradient.
        case adam
        /// Decay shrinks the weights apart from the gradient (Loshchilov and Hutter 2019).
        case adamw
    }

    package var kind: Kind
    package var weightDecay: Double
    package var beta1 = 0.9
    package var beta2 = 0.999
    package var epsilon = 1e-8
    /// Largest global norm of the gradient; nil: not clipped.
    package var maxGradientNorm: Double?

    package init(kind: Kind, weightDecay: Double, maxGradientNorm: Double?) {
        self.kind = kind
        self.weightDecay = weightDecay
        self.maxGradientNorm = maxGradientNorm
    }

    /// Factor on the gradient so that its norm stays within the limit, as torch.nn.utils.clip_grad_norm_ computes it.
    package func clippingFactor(norm: Double) -> Double {
        guard let limit = maxGradientNorm else { return 1 }
        return min(1, limit / (norm + 1e-6))
    }

    /// The update of one step, computed once and shared by all workers as bit patterns.
    package func update(step: Int, learningRate: Double, gradientScale: Double) -> OptimizerUpdate {
        let correction1 = 1 - pow(beta1, Double(step))
        let correction2 = 1 - pow(beta2, Double(step))
        func constants(decay: Double) -> AdamConstants {
            AdamConstants(
                gradientScale: Float(gradientScale), beta1: Float(beta1), beta2: Float(beta2), oneMinusBeta1: Float(1 - beta1),
                oneMinusBeta2: Float(1 - beta2), stepSize: Float(learningRate / correction1),
                inverseRootCorrection: Float(1 / correction2.squareRoot()), epsilon: Float(epsilon),
                decayFactor: kind == .adamw ? Float(1 - learningRate * decay) : 1, l2: kind == .adam ? Float(decay) : 0)
        }
        return OptimizerUpdate(decayed: constants(decay: weightDecay), plain: constants(decay: 0))
    }
}

/// The constants of one update, for parameters with and without weight decay.
package struct OptimizerUpdate: Sendable, Equatable {
    package var decayed: AdamConstants
    package var plain: AdamConstants

    /// Whether a row that no gradient ever touched stays as it is.
    package var leavesUntouchedRows: Bool { decayed.decayFactor == 1 && decayed.l2 == 0 }
}
