internal import CVectorMath

/// What the encoder's matrix products are computed in; everything else is in single precision.
///
/// A part of the arithmetic: each choice gives its own bits, the same on every processor. See docs/arithmetic.md.
package enum Precision: String, Codable, Sendable, CaseIterable {
    case float32
    /// Factors rounded to bf16, products added pair after pair: fast with VDPBF16PS.
    case bf16
    /// Factors rounded to bf16, products added in the order of AMX's tiles.
    case bf16AMX = "bf16-amx"

    /// The order in which the C kernels add products; nil in single precision.
    package var order: ProductOrder? {
        switch self {
        case .float32: nil
        case .bf16: ProductOrder(number: CInt(APUS_PAIR_ORDER))
        case .bf16AMX: ProductOrder(number: CInt(APUS_TILE_ORDER))
        }
    }

    /// Whether this processor has a unit for these products; else they take as long as in single precision or longer.
    package var isNative: Bool { order.map { apus_pair_unit_is_native($0.number) != 0 } ?? true }

    /// Why it cannot be had with a provider of products, in one line; nil if it can.
    package func refusal(of blas: BLAS) -> String? {
        self == .float32 || blas == .own
            ? nil : "--precision \(rawValue) is computed by Apus's own kernels: leave out --blas \(blas.rawValue)"
    }

    /// For tests: computes with fused multiply-adds even where the processor has a unit.
    package static func emulate(_ yes: Bool) { apus_emulate_pairs(yes ? 1 : 0) }
}

/// The order in which the products of factors in bf16 are added.
package struct ProductOrder: Sendable {
    let number: CInt
}
