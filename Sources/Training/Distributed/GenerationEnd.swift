/// The end of a generation that cannot continue.
struct GenerationEnd: Error {
    let reason: String
    var rank: Int?
    /// Workers with a wrong state, and the reasons sent to them.
    var untrue: [Int: String] = [:]
    /// Links that were not established.
    var unlinked = UnlinkedRanks()
    /// Whether there is no majority for one state.
    var isSplit = false
}
