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

    /// What to say where this processor has no fast unit for it; nil where it has.
    package var doubt: String? {
        guard !isNative else { return nil }
        let other: Precision = self == .bf16 ? .bf16AMX : .bf16
        return "--precision \(rawValue) takes as long as float32 or longer here: this processor has no fast unit for it"
            + (other.isNative ? ", but one for --precision \(other.rawValue), which has other bits" : "")
    }

    /// Why it does not work with a provider of products, in one line; nil if it does.
    package func refusal(of blas: BLAS) -> String? {
        self == .float32 || blas == .own
            ? nil : "--precision \(rawValue) is computed by Apus's own kernels: leave out --blas \(blas.rawValue)"
    }

    /// What computes products in bf16; the bits are the same.
    package enum Unit: CInt, CaseIterable, Sendable {
        /// The processor's unit if it is faster than fused multiply-adds.
        case fastest = 0
        /// The processor's unit if it has one.
        case any = 1
        /// Fused multiply-adds in single precision.
        case none = 2
    }

    /// For tests: computes with another unit from now on.
    package static func use(_ unit: Unit) { apus_use_pair_units(unit.rawValue) }
}

/// The order in which the products of factors in bf16 are added.
package struct ProductOrder: Sendable {
    let number: CInt
}
