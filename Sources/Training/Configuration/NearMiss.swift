/// The known name that was most likely meant by an unknown one.
package enum NearMiss {
    /// Nil if no name is close: more than two edits, or than a third of the name.
    package static func of(_ name: String, among known: [String]) -> String? {
        let spelled = name.lowercased().replacing("_", with: "-")
        let nearest = known.map { (name: $0, edits: distance(spelled, $0)) }.min { $0.edits < $1.edits }
        guard let nearest, nearest.edits <= min(2, spelled.count / 3) else { return nil }
        return nearest.name
    }

    /// Insertions, deletions and replacements from one text to the other.
    ///
    /// - Complexity: O(a.count * b.count).
    /// Source: Wagner and Fischer 1974.
    static func distance(_ a: String, _ b: String) -> Int {
        let columns = Array(b)
        var row = Array(0...columns.count)
        for (i, left) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, right) in columns.enumerated() {
                let replaced = diagonal + (left == right ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j + 1] + 1, row[j] + 1)
            }
        }
        return row[columns.count]
    }
}
