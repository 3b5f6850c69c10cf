package import Tensors

/// The sum over all lanes, where it lies: in parts, some of them in the memory of other ranks of this host.
///
/// It stays as it is until this rank begins its next exchange. The parts are for reading alone: those of other ranks are
/// mapped without leave to write.
package struct ReducedGradient: Sendable {
    package struct Part: Sendable {
        package let range: Range<Int>
        package let values: FloatView

        package init(range: Range<Int>, values: FloatView) {
            self.range = range
            self.values = values
        }
    }

    /// Ascending, without gaps.
    package let parts: [Part]

    package init(parts: [Part]) { self.parts = parts }

    /// A sum that lies in one piece.
    package init(_ values: FloatView) { parts = [Part(range: 0..<values.count, values: values)] }

    /// Takes the parts of `range` one after another, cut to it.
    /// - Complexity: O(parts).
    package func forEachPart(in range: Range<Int>, _ body: (Part) -> Void) {
        for part in parts {
            let common = part.range.clamped(to: range)
            guard !common.isEmpty else { continue }
            let start = common.lowerBound - part.range.lowerBound
            body(Part(range: common, values: part.values.part(from: start, count: common.count)))
        }
    }

    /// Copies all of it into one run.
    package func copy(into target: FloatView) {
        for part in parts { target[part.range].copy(from: part.values) }
    }
}
