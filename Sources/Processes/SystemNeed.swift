/// System resources that a run's processes need, except the memory for model and data.
///
/// Measured on runs of small models (`/proc/PID/status` and `fd`), with a margin; overestimates do no harm,
/// since only needs beyond the system's limits are refused.
package struct SystemNeed: Equatable, Sendable {
    /// Files, pipes and sockets of the process with the highest need.
    var descriptors: Int
    /// Threads of all processes together.
    var threads: Int
    var processes = 1
    /// Whether fewer workers would need less.
    var hasWorkers = true
    /// Address space of the process with the highest need, in bytes.
    var addresses: Int

    /// A process that computes on `threads` threads without sockets.
    package static func single(threads: Int) -> SystemNeed {
        SystemNeed(
            descriptors: 10, threads: threads + 4, hasWorkers: false,
            addresses: baseAddresses + threads * threadAddresses)
    }

    /// A coordinator; for each worker it has a control connection and a link each way, with their monitors.
    package static func coordinator(workers: Int, threads: Int) -> SystemNeed {
        var need = single(threads: threads)
        need.descriptors = 40 + 6 * workers
        need.threads += 7
        need.hasWorkers = true
        return need
    }

    package static func worker(peers: Int, threads: Int) -> SystemNeed {
        var need = single(threads: threads)
        need.descriptors = 34 + 6 * peers
        need.threads += 7
        need.hasWorkers = true
        return need
    }

    /// A launcher with `workers` processes on this machine, and their coordinator.
    package static func launch(workers: Int, threads: Int) -> SystemNeed {
        let (coordinator, worker) = (
            coordinator(workers: workers, threads: threads), worker(peers: workers, threads: threads)
        )
        return SystemNeed(
            descriptors: max(16 + 4 * workers, coordinator.descriptors, worker.descriptors),
            threads: 6 + 2 * workers + coordinator.threads + workers * worker.threads, processes: workers + 2,
            addresses: max(coordinator.addresses, worker.addresses))
    }

    /// A launcher of a coordinator here and of `workers` sessions to other hosts.
    package static func remoteLaunch(workers: Int, threads: Int) -> SystemNeed {
        var need = coordinator(workers: workers, threads: threads)
        need.descriptors = max(need.descriptors, 24 + 6 * workers)
        need.threads += 8 + 4 * workers
        need.processes = workers + 2
        return need
    }

    private static let baseAddresses = 480 << 20
    /// A stack and glibc's heap reservation per thread.
    private static let threadAddresses = 72 << 20
}
