/// The known name that was most likely meant by an unknown one.
package enum NearMiss {
    /// Nil if no name is close: more than two edits, or than a third of the name.
    package static func of(_ name: String, among known: [String]) -> String? {
        let spelled = name.lowercased().replacing("_", with: "-")
        let nearest = known.map { (name: $0, edits: distance(spelled, $0)) }.min { $0.edits < $1.edits }
        guard let nearest, nearest.edits <= min(2, spelled.count / 3) else { return nil }
        return nearest.name
    }

    /// Insertions, deletions, replacements and swaps of neighbours from one text to the other.
    ///
    /// - Complexity: O(a.count * b.count).
    /// Source: Damerau 1964; Wagner and Fischer 1974.
    static func distance(_ a: String, _ b: String) -> Int {
        let (rows, columns) = (Array(a), Array(b))
        var before: [Int] = []
        var last = Array(0...columns.count)
        for i in rows.indices {
            var row = [i + 1]
            for j in columns.indices {
                var edits = min(last[j] + (rows[i] == columns[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, rows[i] == columns[j - 1], rows[i - 1] == columns[j] {
                    edits = min(edits, before[j - 1] + 1)
                }
                row.append(edits)
            }
            (before, last) = (last, row)
        }
        return last[columns.count]
    }
}
