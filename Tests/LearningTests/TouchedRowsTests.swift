import Testing

@testable import Learning

@Suite struct TouchedRowsTests {
    @Test func `words of another count, and bits beyond the rows, are refused`() {
        for rows in [0, 1, 63, 64, 65, 128, 211] {
            let words = (rows + 63) / 64
            #expect(TouchedRows(rows: rows, words: [UInt64](repeating: 0, count: words)) != nil)
            #expect(TouchedRows(rows: rows, words: [UInt64](repeating: 0, count: words + 1)) == nil)
            guard words > 0 else { continue }
            #expect(TouchedRows(rows: rows, words: [UInt64](repeating: 0, count: words - 1)) == nil)
            for row in (rows - 1)..<(64 * words) {
                var words = [UInt64](repeating: 0, count: words)
                words[row / 64] |= 1 << UInt64(row % 64)
                #expect((TouchedRows(rows: rows, words: words) != nil) == (row < rows), "bit \(row) of \(rows) rows")
            }
        }
    }
}
