/// The plan of a sum: which leaves are added, in which order.
package indirect enum PartialSum: Sendable, Equatable {
    /// The block sum with this index in the list from which the sum was planned.
    case leaf(Int)
    case sum(PartialSum, PartialSum)

    /// Most additions between a leaf and the whole sum.
    package var depth: Int {
        switch self {
        case .leaf: 0
        case .sum(let left, let right): 1 + max(left.depth, right.depth)
        }
    }
}

extension ReductionTree {
    /// A partial sum and the lanes whose block of the tree it completes.
    package struct Root: Sendable, Equatable {
        package let block: Block
        package let sum: PartialSum
    }

    /// The sums that `held` alone allows: one root for each largest block that needs nothing else.
    ///
    /// - Parameters:
    ///   - held: the available blocks, disjoint; a leaf's number is an index in this list.
    ///   - empty: whether a lane has no samples; a block without samples passes its neighbour through.
    /// - Returns: roots in the order of their lanes; exactly one if `held` has every lane that is not empty.
    /// - Complexity: O(laneCount · held).
    package func roots(of held: [Block], empty: (Int) -> Bool) -> [Root] {
        /// Empty, a complete sum, or open because other ranks hold a part.
        enum Content {
            case nothing
            case complete(Root)
            case open([Root])

            var roots: [Root] {
                switch self {
                case .nothing: []
                case .complete(let root): [root]
                case .open(let roots): roots
                }
            }
        }

        func content(_ lanes: Range<Int>) -> Content {
            if let place = held.firstIndex(where: { $0.lanes == lanes }) {
                return .complete(Root(block: Block(lanes: lanes), sum: .leaf(place)))
            }
            if lanes.allSatisfy(empty) { return .nothing }
            if lanes.count == 1 { return .open([]) }
            let middle = middle(of: lanes)
            switch (content(lanes.lowerBound..<middle), content(middle..<lanes.upperBound)) {
            case (.complete(let root), .nothing), (.nothing, .complete(let root)):
                return .complete(Root(block: Block(lanes: lanes), sum: root.sum))
            case (.complete(let left), .complete(let right)):
                return .complete(Root(block: Block(lanes: lanes), sum: .sum(left.sum, right.sum)))
            case (let left, let right):
                return .open(left.roots + right.roots)
            }
        }
        return content(0..<laneCount).roots
    }
}
