internal import Foundation

/// What a process that reads files of strangers may use.
package enum ConversionLimits {
    /// Memory apart from mapped files, in bytes.
    package static let memory = 2 << 30
    /// Processor time in seconds.
    package static let seconds = 600

    /// Sets the limits for this process; the system ends it where it goes beyond one.
    package static func set() {
        func limit(_ resource: __rlimit_resource, _ value: Int) {
            var limit = rlimit(rlim_cur: rlim_t(value), rlim_max: rlim_t(value))
            unsafe setrlimit(__rlimit_resource_t(resource.rawValue), &limit)
        }
        limit(RLIMIT_DATA, memory)
        limit(RLIMIT_CPU, seconds)
        limit(RLIMIT_CORE, 0)
    }
}
