/// A generation that cannot go on.
struct GenerationEnd: Error {
    let reason: String
    var rank: Int?
    /// Workers whose state is not what it has to be, and what they are told.
    var untrue: [Int: String] = [:]
    /// Links that did not stand.
    var unlinked = UnlinkedRanks()
    /// Whether nobody can say whose state is right.
    var isSplit = false
}
