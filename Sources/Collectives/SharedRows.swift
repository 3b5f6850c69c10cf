internal import Reduction
internal import Tensors

/// One rank's touched rows, in memory that the other ranks of its host read.
///
/// For each block sum the count of its rows; then the rows' numbers, block after block; then the rows themselves.
/// Counts and numbers are 32-bit patterns stored as floats.
package struct SharedRows: Sendable {
    /// Room in rows, for all blocks together: enough for some 4,000 tokens.
    package static let most = 2_048
    /// The count that means: the rows do not fit.
    private static let tooMany = UInt32.max

    private let memory: FloatView
    private let blocks: Int
    private let width: Int

    /// Elements needed for the rows of `blocks` block sums; rows begin at cache lines.
    package static func elements(blocks: Int, width: Int) -> Int { head(blocks) + most * width }

    private static func head(_ blocks: Int) -> Int { (blocks + most + 15) / 16 * 16 }

    /// - Parameter memory: has ``elements(blocks:width:)`` elements.
    init(_ memory: FloatView, blocks: Int, width: Int) {
        precondition(
            memory.count == Self.elements(blocks: blocks, width: width),
            "\(memory.count) elements for rows of \(blocks) blocks")
        self.memory = memory
        self.blocks = blocks
        self.width = width
    }

    private func set(_ word: UInt32, at place: Int) { memory[place] = Float(bitPattern: word) }

    /// Writes the rows of every block; nil means none. If they do not fit, readers are told so.
    func write(_ sums: [SparseRows?]) {
        precondition(sums.count == blocks, "rows of \(sums.count) blocks for \(blocks)")
        let counts = sums.map { $0?.ids.count ?? 0 }
        guard counts.reduce(0, +) <= Self.most else {
            for block in 0..<blocks { set(Self.tooMany, at: block) }
            return
        }
        var place = 0
        for (block, rows) in sums.enumerated() {
            set(UInt32(counts[block]), at: block)
            guard let rows, !rows.ids.isEmpty else { continue }
            for (index, id) in rows.ids.enumerated() { set(UInt32(bitPattern: id), at: blocks + place + index) }
            let values = rows.matrix.elements
            memory.part(from: Self.head(blocks) + place * width, count: values.count).copy(from: values)
            place += counts[block]
        }
    }

    /// The rows of every block as `rank` wrote them, in place; nil if they did not fit.
    /// - Parameters:
    ///   - tableRows: upper bound of the row numbers.
    ///   - numbers: memory for the blocks' row numbers.
    /// - Throws: ``ExchangeError`` if the memory does not contain such rows.
    func read(of rank: Int, tableRows: Int, into numbers: inout [[Int32]]) throws(ExchangeError) -> [RowList?]? {
        func word(_ place: Int) -> UInt32 { memory[place].bitPattern }
        let counts = (0..<blocks).map(word)
        if counts.contains(Self.tooMany) { return nil }
        func unexpected(_ found: String, _ needed: String) -> ExchangeError {
            .unexpected(rank: rank, found: "shared rows: \(found)", needed: needed)
        }
        guard counts.reduce(0, { $0 + Int($1) }) <= Self.most else {
            throw unexpected("\(counts)", "at most \(Self.most) in all")
        }
        while numbers.count < blocks { numbers.append([]) }
        var place = 0
        var lists: [RowList?] = []
        for block in 0..<blocks {
            let count = Int(counts[block])
            numbers[block].removeAll(keepingCapacity: true)
            var previous: Int32 = -1
            for index in 0..<count {
                let id = Int32(bitPattern: word(blocks + place + index))
                guard id > previous, id < tableRows else {
                    throw unexpected("row \(id) after \(previous)", "ascending rows below \(tableRows)")
                }
                numbers[block].append(id)
                previous = id
            }
            let values = memory.part(from: Self.head(blocks) + place * width, count: count * width)
            lists.append(count == 0 ? nil : RowList(ids: numbers[block], values: values, width: width))
            place += count
        }
        return lists
    }
}
