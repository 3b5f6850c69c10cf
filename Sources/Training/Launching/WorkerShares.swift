/// How many workers this machine gets and how many threads each of them has, when nobody says.
struct WorkerShares: Equatable {
    let workers: Int
    let threads: Int

    /// Workers divide the lanes, so that none stands by or has more lanes than another, and the cores, so that no core stands by. There is one
    /// for 8 cores and two at least, or the next smaller number that divides both.
    /// - Parameters:
    ///   - workers: as asked for; nil: the default.
    ///   - threads: as asked for; nil: the cores, shared by the workers. Threads that were asked for are no reason for more of them in all than
    ///     there are cores.
    init(cores: Int, lanes: Int, workers asked: Int? = nil, threads given: Int? = nil) {
        let all = given.map { max(1, cores / $0) } ?? cores
        let most = max(1, min(max(cores / 8, 2), all, lanes))
        let fitting = (1...most).last { lanes % $0 == 0 && (given != nil || cores % $0 == 0) } ?? 1
        workers = asked ?? fitting
        threads = given ?? max(1, cores / workers)
    }
}
