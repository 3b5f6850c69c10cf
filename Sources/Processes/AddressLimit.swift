internal import CSystem
internal import Files
internal import Foundation
package import Wording

/// The limit on what a process may address, used or not: `ulimit -v`, and `-d` for memory that it may write.
///
/// An allocation beyond it ends the process, and a library's thread or buffer beyond it may wait for ever. So each
/// need is tried before it is used.
package struct AddressLimit {
    /// In bytes.
    package let bytes: Int
    private let option: String

    /// The lower of the two limits; nil if there is none.
    package init?() {
        let limits = [(RLIMIT_AS, "-v"), (RLIMIT_DATA, "-d")].compactMap { resource, option -> (Int, String)? in
            var limit = rlimit()
            guard unsafe getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0,
                limit.rlim_cur < rlim_t(Int64.max)
            else { return nil }
            return (Int(limit.rlim_cur), option)
        }
        guard let least = limits.min(by: { $0.0 < $1.0 }) else { return nil }
        (bytes, option) = least
    }

    /// What this process could address when it started, in bytes.
    private static let startBytes = size

    /// Prepares this process for a limit, if there is one. To be called before the first thread starts.
    package static func begin() {
        guard let limit = AddressLimit() else { return }
        _ = startBytes
        apus_use_one_heap()
        // An estimate of a need may be too low.
        unsafe apus_say_when_crashing(
            "apus: probably out of memory: \(limit.described); \(limit.remedy)\n")
    }

    /// Tests whether this process may address `bytes` more.
    /// - Parameters:
    ///   - what: what needs them, for the message.
    ///   - advice: what else would help, after ", or "; empty: nothing.
    /// - Throws: ``InputError``.
    package static func provide(_ bytes: Int, for what: String, advice: String = "") throws(InputError) {
        guard let limit = AddressLimit() else { return }
        let trial = unsafe mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard unsafe trial == MAP_FAILED else {
            unsafe munmap(trial, bytes)
            return
        }
        let present = size
        throw limit.refusal(
            "\(what) needs about \(bytes / 1_000_000) MB of address space beside the \(present / 1_000_000) MB in use",
            advice)
    }

    /// Tests the same for a process that starts later under the same limit.
    package static func provideLater(_ bytes: Int, for what: String, advice: String) throws(InputError) {
        guard let limit = AddressLimit() else { return }
        // Mapped files, which a new process has most of, do not count as memory to write.
        let whole = bytes + (limit.option == "-v" ? startBytes : 0)
        guard whole > limit.bytes else { return }
        throw limit.refusal("\(what) needs about \(whole / 1_000_000) MB of address space", advice)
    }

    private func refusal(_ need: String, _ advice: String) -> InputError {
        InputError("\(need), \(described): \(remedy)\(advice.isEmpty ? "" : ", or \(advice)")")
    }

    private var described: String { "the limit of all is \(bytes / 1_000_000) MB" }
    private var remedy: String { "raise it with ulimit \(option) unlimited" }

    private static var size: Int {
        let pages = SystemFile.text("/proc/self/statm")?.split(separator: " ").first.flatMap { Int($0) } ?? 0
        return pages * sysconf(CInt(_SC_PAGESIZE))
    }

    /// Bytes of one more thread's stack.
    static var stackBytes: Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_STACK.rawValue), &limit) == 0,
            limit.rlim_cur < rlim_t(Int64.max)
        else { return 2 << 20 }  // glibc's choice if there is no limit
        return Int(limit.rlim_cur)
    }
}
