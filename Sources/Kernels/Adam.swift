internal import CVectorMath
package import Tensors

/// The constants of one Adam update, computed once a step and identical on every worker.
package struct AdamConstants: Sendable, Equatable {
    /// Factor on the gradient, from clipping.
    package var gradientScale: Float
    package var beta1: Float
    package var beta2: Float
    package var oneMinusBeta1: Float
    package var oneMinusBeta2: Float
    /// Learning rate over 1 - beta1ᵗ.
    package var stepSize: Float
    /// 1 / √(1 - beta2ᵗ).
    package var inverseRootCorrection: Float
    package var epsilon: Float
    /// AdamW: 1 - learning rate × decay; 1 without decay.
    package var decayFactor: Float
    /// Adam: decay added to the gradient; 0 without.
    package var l2: Float

    package init(
        gradientScale: Float, beta1: Float, beta2: Float, oneMinusBeta1: Float, oneMinusBeta2: Float, stepSize: Float,
        inverseRootCorrection: Float, epsilon: Float, decayFactor: Float, l2: Float
    ) {
        self.gradientScale = gradientScale
        self.beta1 = beta1
        self.beta2 = beta2
        self.oneMinusBeta1 = oneMinusBeta1
        self.oneMinusBeta2 = oneMinusBeta2
        self.stepSize = stepSize
        self.inverseRootCorrection = inverseRootCorrection
        self.epsilon = epsilon
        self.decayFactor = decayFactor
        self.l2 = l2
    }

    var c: apus_adam_constants {
        apus_adam_constants(
            gradient_scale: gradientScale, beta1: beta1, beta2: beta2, one_minus_beta1: oneMinusBeta1, one_minus_beta2: oneMinusBeta2,
            step_size: stepSize, inverse_root_correction: inverseRootCorrection, epsilon: epsilon, decay_factor: decayFactor, l2: l2)
    }
}

/// One Adam update of a run of parameters; a missing gradient is zero.
///
/// Shapes: all (n). An element's result does not depend on where a run begins or ends.
/// Source: Kingma and Ba 2015, algorithm 1, in the order of operations of torch.optim.AdamW.
package func adamUpdate(_ constants: AdamConstants, gradient: FloatView?, parameters: FloatView, first: FloatView, second: FloatView) {
    precondition(parameters.count == first.count && first.count == second.count && gradient.map { $0.count == first.count } ?? true)
    var constants = constants.c
    unsafe apus_adam(parameters.count, &constants, gradient?.base, parameters.base, first.base, second.base)
}
