internal import CSystem
internal import Files
internal import Foundation
internal import Wording

/// How many processors this process may use: the basis of the defaults for workers, threads and lanes.
///
/// `taskset`, Slurm and cpusets bind a process to some processors; containers limit its processor time instead.
package enum ProcessorCount {
    /// The minimum of the affinity mask and the control groups' quota, at least 1.
    package static let usable = max(1, min(bound, quota ?? bound))

    /// The usable processors for each of `processes` on this host, at least 1.
    ///
    /// Each may be bound to its own processors, which then are its share; a quota is for all of them together.
    package static func share(of processes: Int) -> Int {
        let all = min(ProcessInfo.processInfo.processorCount, quota ?? .max)
        return max(1, min(bound, all / processes))
    }

    private static let bound: Int = {
        let count = Int(apus_affinity_count())
        return count > 0 ? count : ProcessInfo.processInfo.activeProcessorCount
    }()

    private static let quota = ProcessorQuota { SystemFile.text($0) }.processors
}

extension ProcessorCount {
    /// A line about more threads than processors; nil if there are enough.
    package static func doubt(threads: Int) -> String? {
        guard threads > usable else { return nil }
        return "--threads is \(threads), more than the \(counted(usable, "processor")) that this process may use: the "
            + "threads wait for each other"
    }
}
