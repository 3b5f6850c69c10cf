import Foundation
import Testing

@testable import Transport

@Suite struct FreeDescriptorsTests {
    /// In a process of its own, which may use up all descriptors.
    @Test func `a process that may open nothing more knows it`() async {
        await #expect(processExitsWith: .exitCode(3)) {
            guard FreeDescriptors.areThere else { exit(4) }
            var limit = rlimit()
            guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { exit(5) }
            limit.rlim_cur = min(limit.rlim_cur, 128)
            guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { exit(6) }
            var opened: [Int32] = []
            while true {
                let next = dup(1)
                guard next >= 0 else { break }
                opened.append(next)
                // The last one leaves none.
                if opened.count < 8, !FreeDescriptors.areThere { exit(7) }
            }
            guard opened.count > 8, !FreeDescriptors.areThere else { exit(8) }
            close(opened[4])
            guard FreeDescriptors.areThere, dup(1) == opened[4], !FreeDescriptors.areThere else { exit(9) }
            close(opened[opened.count - 1])
            exit(FreeDescriptors.areThere ? 3 : 10)
        }
    }
}
