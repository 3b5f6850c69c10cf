/// The default numbers of workers on this machine and of threads per worker.
struct WorkerShares: Equatable {
    let workers: Int
    let threads: Int
    /// How many workers belong to each NUMA node; nil if they belong to none.
    let workersPerNode: Int?

    /// Workers divide the lanes, so that none is idle or has more lanes than another, and the cores, so that no core is
    /// idle. There is one for each NUMA node and two at least, or the next smaller number that divides both. If threads
    /// are requested, there are as many workers as the cores hold.
    ///
    /// They belong to nodes if there are several, each with the same number of these workers.
    /// - Parameters:
    ///   - cores: those of all nodes, or as many as a quota allows.
    ///   - workers: as requested; nil: the default. Another number than the default belongs to no nodes.
    ///   - threads: as requested; nil: the cores divided among the workers. Requested threads do not lead to more
    ///     threads in total than cores.
    init(cores: Int, nodes: Int = 1, lanes: Int, workers asked: Int? = nil, threads given: Int? = nil) {
        let most = given.map { cores / $0 } ?? min(max(nodes, 2), cores)
        let fitting =
            (1...max(1, min(most, lanes))).last { lanes % $0 == 0 && (given != nil || cores % $0 == 0) } ?? 1
        workers = asked ?? fitting
        threads = given ?? max(1, cores / workers)
        workersPerNode = nodes > 1 && workers == fitting && workers % nodes == 0 ? workers / nodes : nil
    }

    /// The node of a worker, both counted from 0; nil if it belongs to none. Neighbouring workers share one.
    func node(of worker: Int) -> Int? { workersPerNode.map { worker / $0 } }
}
