/// System resources that the processes of a command need, except the memory for model and data.
///
/// Measured on small models (`/proc/PID/status` and `fd`, and the lowest limit under which they work), with a margin;
/// overestimates do no harm, since only needs beyond the system's limits are refused.
package struct SystemNeed: Equatable, Sendable {
    /// Files, pipes and sockets of the process with the highest need.
    var descriptors: Int
    /// Threads of all processes together.
    var threads: Int
    var processes = 1
    /// Threads of the process with the highest need.
    var ownThreads: Int
    /// What needs all this, for messages.
    var what = "a process of this run"
    /// Whether fewer workers would need less.
    var hasWorkers = true
    /// Address space of the process with the highest need, in bytes, without the stacks of threads.
    var addresses: Int

    /// Any command.
    package static let command: SystemNeed = {
        var need = single(threads: 0)
        need.what = "this command"
        return need
    }()

    /// A command that computes on `threads` threads and writes no run.
    package static func inference(threads: Int, library: Bool = false) -> SystemNeed {
        var need = single(threads: threads, library: library)
        need.what = "this command"
        return need
    }

    /// A process that computes on `threads` threads without sockets.
    /// - Parameter library: whether a library computes matrix products.
    package static func single(threads: Int, library: Bool = false) -> SystemNeed {
        SystemNeed(
            descriptors: 10, threads: threads + 4, ownThreads: threads + 4, hasWorkers: false,
            addresses: baseAddresses + threads * threadAddresses
                + (library ? libraryAddresses + threads * libraryBuffer : 0))
    }

    /// A coordinator; for each worker it has a control connection and a link each way, with their monitors.
    package static func coordinator(workers: Int, threads: Int, library: Bool = false) -> SystemNeed {
        var need = single(threads: threads, library: library)
        need.descriptors = 40 + 6 * workers
        need.threads += 7
        need.ownThreads += 7
        need.hasWorkers = true
        return need
    }

    /// A worker; for each peer it has a link each way, with their monitors.
    package static func worker(peers: Int, threads: Int, library: Bool = false) -> SystemNeed {
        var need = single(threads: threads, library: library)
        need.descriptors = 34 + 6 * peers
        need.threads += 7
        need.ownThreads += 7
        need.hasWorkers = true
        return need
    }

    /// A launcher with `workers` processes on this machine, and their coordinator.
    package static func launch(workers: Int, threads: Int, library: Bool = false) -> SystemNeed {
        let (coordinator, worker) = (
            coordinator(workers: workers, threads: threads, library: library),
            worker(peers: workers, threads: threads, library: library)
        )
        return SystemNeed(
            descriptors: max(16 + 4 * workers, coordinator.descriptors, worker.descriptors),
            threads: 6 + 2 * workers + coordinator.threads + workers * worker.threads, processes: workers + 2,
            ownThreads: max(coordinator.ownThreads, worker.ownThreads),
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

    private static let baseAddresses = 56 << 20
    /// Of a thread that computes, beside its stack.
    private static let threadAddresses = 8 << 20
    /// The library itself, and what it allocates for each thread.
    private static let libraryAddresses = 168 << 20
    private static let libraryBuffer = 40 << 20

    /// Bytes that a process with this need may address beside a model's memory.
    package var allAddresses: Int { addresses + ownThreads * AddressLimit.stackBytes }
}
