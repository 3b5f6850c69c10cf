internal import CSystem
internal import Foundation
package import Wording

/// What the system allows this process, checked before a run begins: exhausting it later would cause hangs and signals.
package enum SystemLimits {
    /// Raises the soft limit of descriptors if that is sufficient, and tests the other limits.
    /// - Throws: ``InputError`` naming the limit, its value and the requirement.
    package static func provide(_ need: SystemNeed) throws(InputError) {
        try provideDescriptors(need)
        try tryAddresses(need.addresses)
        try tryThreads(need)
    }

    private static func provideDescriptors(_ need: SystemNeed) throws(InputError) {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        // If even this folder cannot be opened, no descriptor is free.
        let open =
            (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count)
            ?? Int(clamping: limit.rlim_cur)
        let wanted = rlim_t(open + need.descriptors)
        guard limit.rlim_cur < wanted + Self.roomForStrangers else { return }
        var raised = limit
        raised.rlim_cur = min(limit.rlim_max, wanted + Self.roomForStrangers)
        if raised.rlim_cur > limit.rlim_cur, unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0
        {
            limit = raised
        }
        guard limit.rlim_cur >= wanted else {
            throw InputError(
                "a process of this run needs up to \(wanted) open files, the limit is \(limit.rlim_cur): raise it "
                    + "with ulimit -n \(wanted)\(need.hasWorkers ? ", or use fewer workers" : "")"
            )
        }
    }

    /// Limits the descriptors for connections without a proven key, so that enough are left for the run.
    private static let roomForStrangers: rlim_t = 600

    private static func tryThreads(_ need: SystemNeed) throws(InputError) {
        let started = Int(apus_try_threads(Int32(clamping: need.threads)))
        guard started < need.threads else { return }
        let what = need.processes == 1 ? "this process needs" : "\(need.processes) processes need"
        throw InputError(
            "\(what) up to \(need.threads) threads, the system starts \(started) more: raise the limit of processes "
                + "(ulimit -u, or the control group's "
                + "pids.max), or use fewer \(need.hasWorkers ? "workers and threads" : "threads")")
    }

    /// The kernel counts what a process may address, used or not.
    private static func tryAddresses(_ bytes: Int) throws(InputError) {
        let limits = [(RLIMIT_AS, "-v"), (RLIMIT_DATA, "-d")].compactMap { resource, option -> (UInt64, String)? in
            var limit = rlimit()
            guard unsafe getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0,
                limit.rlim_cur < rlim_t(Int64.max)
            else { return nil }
            return (UInt64(limit.rlim_cur), option)
        }
        guard let least = limits.min(by: { $0.0 < $1.0 }) else { return }
        let trial = unsafe mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard unsafe trial == MAP_FAILED else {
            unsafe munmap(trial, bytes)
            // Models and batches may still exceed the rest.
            unsafe apus_say_when_crashing(
                "apus: probably out of memory: the limit of the address space is \(least.0 / 1_000_000) MB; raise "
                    + "it with ulimit \(least.1) unlimited\n"
            )
            return
        }
        throw InputError(
            "a process of this run needs about \(bytes / 1_000_000) MB of address space beside what it has, the limit "
                + "of all is \(least.0 / 1_000_000) MB: raise it with ulimit \(least.1) unlimited, or lower --threads")
    }
}
