/// The default numbers of workers on this machine and of threads per worker.
struct WorkerShares: Equatable {
    let workers: Int
    let threads: Int

    /// Workers divide the lanes, so that none is idle or has more lanes than another, and the cores, so that no core is
    /// idle. There is one for 8 cores and two at least, or the next smaller number that divides both.
    /// - Parameters:
    ///   - workers: as requested; nil: the default.
    ///   - threads: as requested; nil: the cores divided among the workers. Requested threads do not lead to more
    ///     threads in total than cores.
    init(cores: Int, lanes: Int, workers asked: Int? = nil, threads given: Int? = nil) {
        let all = given.map { max(1, cores / $0) } ?? cores
        let most = max(1, min(max(cores / 8, 2), all, lanes))
        let fitting = (1...most).last { lanes % $0 == 0 && (given != nil || cores % $0 == 0) } ?? 1
        workers = asked ?? fitting
        threads = given ?? max(1, cores / workers)
    }
}
