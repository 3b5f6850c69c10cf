internal import Foundation
internal import Wording

/// Ensures that threads have sufficient stacks.
package enum StackLimit {
    private static let least: rlim_t = 2 << 20
    private static let usual: rlim_t = 8 << 20

    /// Restarts this program with larger stacks if the limit is low and may be raised: glibc reads it only at the
    /// start.
    /// - Parameter arguments: this program's, its name first.
    /// - Throws: ``InputError`` if it may not be raised.
    package static func provide(_ arguments: [String]) throws {
        let resource = __rlimit_resource_t(RLIMIT_STACK.rawValue)
        var limit = rlimit()
        guard unsafe getrlimit(resource, &limit) == 0, limit.rlim_cur < least else { return }
        let given = limit.rlim_cur
        limit.rlim_cur = min(usual, limit.rlim_max)
        guard limit.rlim_cur >= least, unsafe setrlimit(resource, &limit) == 0 else {
            throw InputError(
                "a thread's stack may have \(given >> 10) KiB, expected at least \(least >> 10) KiB: raise the limit "
                    + "with ulimit -s \(usual >> 10)"
            )
        }
        _ = unsafe withCStrings(arguments) { unsafe execv("/proc/self/exe", $0) }
    }
}
