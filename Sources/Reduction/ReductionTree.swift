/// The order in which the gradients of all lanes are added: one binary tree, fixed by the lane count alone.
///
/// Float addition is not associative. Every grouping of lanes over workers must therefore walk the same tree,
/// or the trained weights would depend on who took part.
package struct ReductionTree: Sendable {
    package let laneCount: Int

    package init(laneCount: Int) { self.laneCount = laneCount }

    /// The lanes below one node of the tree.
    package struct Block: Sendable, Equatable { package let lanes: Range<Int> }

    /// The split of the block of `lanes`: after the largest power of two below its size.
    package func middle(of lanes: Range<Int>) -> Int {
        precondition(lanes.count > 1, "a block of \(lanes.count) lanes does not divide")
        var half = 1
        while half * 2 < lanes.count { half *= 2 }
        return lanes.lowerBound + half
    }

    /// The largest aligned blocks that together make up `lanes`, lowest first.
    package func blocks(covering lanes: Range<Int>) -> [Block] {
        func collect(_ block: Range<Int>) -> [Block] {
            if lanes.lowerBound <= block.lowerBound && block.upperBound <= lanes.upperBound {
                return [Block(lanes: block)]
            }
            if !block.overlaps(lanes) || block.count < 2 { return [] }
            let middle = middle(of: block)
            return collect(block.lowerBound..<middle) + collect(middle..<block.upperBound)
        }
        return collect(0..<laneCount)
    }
}
