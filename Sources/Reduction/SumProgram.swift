/// A ``PartialSum`` as a list of additions that uses few scratch slots.
///
/// Slot 0 is the destination itself, so a sum of two leaves reads each once and writes once.
package struct SumProgram: Sendable, Equatable {
    /// What is added: a block's sum, or what a slot holds.
    package enum Operand: Sendable, Equatable {
        case leaf(Int)
        case scratch(Int)
    }

    /// One addition; the sum goes into the slot `into`.
    package struct Addition: Sendable, Equatable {
        package let left: Operand
        package let right: Operand
        package let into: Int
    }

    package private(set) var additions: [Addition] = []
    /// Number of slots, including the destination.
    package private(set) var scratchCount = 1
    /// The slot of the sum; a leaf if nothing is added.
    package private(set) var result: Operand = .scratch(0)

    package init(_ sum: PartialSum) { result = plan(sum, into: 0) }

    /// The only leaf, if the program adds nothing.
    package var onlyLeaf: Int? {
        if case .leaf(let place) = result { place } else { nil }
    }

    private mutating func plan(_ sum: PartialSum, into place: Int) -> Operand {
        switch sum {
        case .leaf(let leaf): return .leaf(leaf)
        case .sum(let left, let right):
            scratchCount = max(scratchCount, place + 1)
            let first = plan(left, into: place)
            let second = plan(right, into: first == .scratch(place) ? place + 1 : place)
            additions.append(Addition(left: first, right: second, into: place))
            return .scratch(place)
        }
    }
}
