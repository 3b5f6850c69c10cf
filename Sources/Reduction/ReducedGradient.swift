package import Tensors

/// The sum over all lanes, in place: in parts, some of them in the memory of other ranks of this host.
///
/// It is valid until this rank begins its next exchange. The parts are read-only: those of other ranks are
/// mapped read-only.
package struct ReducedGradient: Sendable {
    /// A range of the gradient and its values.
    package struct Part: Sendable {
        package let range: Range<Int>
        package let values: FloatView

        package init(range: Range<Int>, values: FloatView) {
            self.range = range
            self.values = values
        }
    }

    /// Ascending, without gaps: the first part, and those after it.
    private let first: Part?
    private let others: ArraySlice<Part>

    package init(parts: [Part]) {
        first = parts.first
        others = parts.dropFirst()
    }

    /// A contiguous sum.
    package init(_ values: FloatView) {
        first = Part(range: 0..<values.count, values: values)
        others = []
    }

    package var parts: [Part] { (first.map { [$0] } ?? []) + others }

    /// Takes all parts one after another, without allocating a list.
    package func forEachPart(_ body: (Part) -> Void) {
        if let first { body(first) }
        others.forEach(body)
    }

    /// Takes the parts of `range` one after another, clipped to it.
    /// - Complexity: O(log parts), and the parts of `range`.
    package func forEachPart(in range: Range<Int>, _ body: (Part) -> Void) {
        func take(_ part: Part) {
            let common = part.range.clamped(to: range)
            guard !common.isEmpty else { return }
            let start = common.lowerBound - part.range.lowerBound
            body(Part(range: common, values: part.values.part(from: start, count: common.count)))
        }
        if let first { take(first) }
        // The first part that ends after the range's beginning.
        var (place, end) = (others.startIndex, others.endIndex)
        while place < end {
            let middle = (place + end) / 2
            if others[middle].range.upperBound > range.lowerBound { end = middle } else { place = middle + 1 }
        }
        while place < others.endIndex, others[place].range.lowerBound < range.upperBound {
            take(others[place])
            place += 1
        }
    }

    /// Copies all of it into contiguous memory.
    package func copy(into target: FloatView) {
        forEachPart { target[$0.range].copy(from: $0.values) }
    }
}
