/// Passes over the training data; the last one may be partial.
package struct EpochCount: Sendable, Equatable, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
    package let passes: Double

    package init(_ passes: Double) { self.passes = passes }
    package init(integerLiteral passes: Int) { self.passes = Double(passes) }
    package init(floatLiteral passes: Double) { self.passes = passes }

    /// The number of epochs begun, partial ones included.
    package var begun: Int { Int(passes.rounded(.up)) }

    /// Optimizer steps of all of them: a partial step counts as a step, as in Transformers.
    package func steps(perEpoch: Int) -> Int { max(1, passes.steps(of: perEpoch)) }
}

extension EpochCount: Codable {
    package init(from decoder: any Decoder) throws { passes = try decoder.singleValueContainer().decode(Double.self) }

    /// A whole number is written as such.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let whole = Int(exactly: passes) { try container.encode(whole) } else { try container.encode(passes) }
    }
}

extension Double {
    /// This share of `total` steps, rounded up; an excess over a whole number that is only rounding error is ignored.
    package func steps(of total: Int) -> Int {
        let exact = self * Double(total)
        let nearest = exact.rounded()
        return Int(abs(exact - nearest) < 1e-6 ? nearest : exact.rounded(.up))
    }
}
