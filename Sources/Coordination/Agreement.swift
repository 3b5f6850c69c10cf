/// The result of comparing reports that must be equal on all workers.
package enum Agreement: Sendable, Equatable {
    case all
    /// These differ from more than half of all.
    case minority([Int])
    /// There is no majority.
    case none

    package init(_ values: [UInt64]) {
        let votes = values.reduce(into: [UInt64: Int]()) { $0[$1, default: 0] += 1 }
        guard votes.count > 1 else {
            self = .all
            return
        }
        guard let right = votes.first(where: { 2 * $0.value > values.count })?.key else {
            self = .none
            return
        }
        self = .minority(values.indices.filter { values[$0] != right })
    }
}
