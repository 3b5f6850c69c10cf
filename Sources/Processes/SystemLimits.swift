internal import CSystem
internal import Foundation
package import Wording

/// What the system allows this process, checked before a run begins: exhausting it later would cause hangs and signals.
package enum SystemLimits {
    /// Raises the soft limit of descriptors if that is sufficient, and tests the other limits.
    /// - Throws: ``InputError`` naming the limit, its value and the requirement.
    package static func provide(_ need: SystemNeed) throws(InputError) {
        try provideDescriptors(need)
        let stacks = need.ownThreads * AddressLimit.stackBytes
        try AddressLimit.provide(
            need.addresses + stacks, for: need.what, advice: need.ownThreads > 6 ? "lower --threads" : "")
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
                "\(need.what) needs up to \(wanted) open files, the limit is \(limit.rlim_cur): raise it "
                    + "with ulimit -n \(wanted)\(need.hasWorkers ? ", or use fewer workers" : "")"
            )
        }
    }

    /// Limits the descriptors for connections without a proven key, so that enough are left for the run.
    private static let roomForStrangers: rlim_t = 600

    private static func tryThreads(_ need: SystemNeed) throws(InputError) {
        let started = Int(apus_try_threads(Int32(clamping: need.threads)))
        guard started < need.threads else { return }
        let what = need.processes == 1 ? "\(need.what) needs" : "\(need.processes) processes need"
        throw InputError(
            "\(what) up to \(need.threads) threads, the system starts \(started) more: raise the limit of processes "
                + "(ulimit -u, or the control group's pids.max)"
                + (need.threads > 6 ? ", or use fewer \(need.hasWorkers ? "workers and threads" : "threads")" : ""))
    }
}
