import Testing

@testable import Reduction

/// A sum as it would be written down.
func written(_ sum: PartialSum, _ leaves: [String]) -> String {
    switch sum {
    case .leaf(let leaf): leaves[leaf]
    case .sum(let left, let right): "(\(written(left, leaves))+\(written(right, leaves)))"
    }
}

/// What a program computes, written down.
func run(_ program: SumProgram, _ leaves: [String]) -> String {
    var scratch = [String](repeating: "?", count: program.scratchCount)
    func value(_ operand: SumProgram.Operand) -> String {
        switch operand {
        case .leaf(let leaf): leaves[leaf]
        case .scratch(let place): scratch[place]
        }
    }
    for addition in program.additions { scratch[addition.into] = "(\(value(addition.left))+\(value(addition.right)))" }
    return value(program.result)
}

/// The sum over lanes by its definition, empty lanes passed over; nil where all are empty.
func canonical(_ lanes: Range<Int>, empty: Set<Int> = []) -> String? {
    if lanes.count == 1 { return empty.contains(lanes.lowerBound) ? nil : "\(lanes.lowerBound)" }
    var half = 1
    while half * 2 < lanes.count { half *= 2 }
    let left = canonical(lanes.lowerBound..<(lanes.lowerBound + half), empty: empty)
    let right = canonical((lanes.lowerBound + half)..<lanes.upperBound, empty: empty)
    guard let left, let right else { return left ?? right }
    return "(\(left)+\(right))"
}

/// All ways to divide `laneCount` lanes into `parts` runs, each of at least one lane.
func divisions(_ laneCount: Int, into parts: Int, from start: Int = 0) -> [[Range<Int>]] {
    if parts == 1 { return [[start..<laneCount]] }
    return ((start + 1)..<max(start + 1, laneCount - parts + 2)).flatMap { end in
        divisions(laneCount, into: parts - 1, from: end).map { [start..<end] + $0 }
    }
}

@Suite struct ReductionTreeTests {
    @Test func sevenLanesAreAddedAsTheDesignWritesThem() {
        #expect(canonical(0..<7) == "(((0+1)+(2+3))+((4+5)+6))")
    }

    @Test func blocksOfALaneRangeAreDisjointAndMakeUpTheRange() {
        for laneCount in 1...16 {
            let tree = ReductionTree(laneCount: laneCount)
            for low in 0..<laneCount {
                for high in (low + 1)...laneCount {
                    #expect(tree.blocks(covering: low..<high).flatMap(\.lanes) == Array(low..<high))
                }
            }
        }
    }

    @Test(arguments: 1...16) func everyDivisionOfLanesOverWorkersGivesOneOrderOfAdditions(laneCount: Int) {
        let tree = ReductionTree(laneCount: laneCount)
        for workers in 1...min(8, laneCount) {
            for division in divisions(laneCount, into: workers) {
                let blocks = division.flatMap { tree.blocks(covering: $0) }
                let roots = tree.roots(of: blocks, empty: { _ in false })
                #expect(roots.count == 1)
                let leaves = blocks.map { canonicalBlock($0.lanes, tree) }
                #expect(written(roots[0].sum, leaves) == canonical(0..<laneCount))
                #expect(run(SumProgram(roots[0].sum), leaves) == canonical(0..<laneCount))
            }
        }
    }

    /// The sum inside a block, by the tree's own divisions.
    private func canonicalBlock(_ lanes: Range<Int>, _ tree: ReductionTree) -> String {
        if lanes.count == 1 { return "\(lanes.lowerBound)" }
        let middle = tree.middle(of: lanes)
        return "(\(canonicalBlock(lanes.lowerBound..<middle, tree))+\(canonicalBlock(middle..<lanes.upperBound, tree)))"
    }

    @Test func aProgramNeedsNoMoreScratchThanTheTreeIsDeep() {
        let tree = ReductionTree(laneCount: 16)
        let program = SumProgram(
            tree.roots(
                of: tree.blocks(covering: 0..<16).isEmpty ? [] : (0..<16).map { .init(lanes: $0..<($0 + 1)) },
                empty: { _ in false })[0].sum)
        #expect(program.scratchCount == 4)
        #expect(program.additions.count == 15)
    }
}
