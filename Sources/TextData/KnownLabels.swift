/// Labels that came before, so that equal ones of many rows are in memory once.
struct KnownLabels {
    /// As many different ones are kept; beyond that each row has its own.
    static let most = 10_000

    private var single: [String: [String]] = [:]
    private var lists: [[String]: [String]] = [:]

    /// The labels of a row, in memory that rows with the same labels share.
    mutating func shared(_ labels: [String]) -> [String] {
        if labels.count == 1 {
            if let known = single[labels[0]] { return known }
            if single.count < Self.most { single[labels[0]] = labels }
        } else {
            if let known = lists[labels] { return known }
            if lists.count < Self.most { lists[labels] = labels }
        }
        return labels
    }
}
