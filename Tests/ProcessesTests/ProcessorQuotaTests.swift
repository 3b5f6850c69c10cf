import Testing

@testable import Processes

@Suite struct ProcessorQuotaTests {
    /// The quota by these files.
    private func quota(_ files: [String: String]) -> Int? { ProcessorQuota { files[$0] }.processors }

    private let unified = "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate"
    private let legacy = "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct"

    @Test(
        arguments: [
            ("200000 100000", 2), ("250000 100000", 2), ("50000 100000", 1), ("1 100000", 1), ("400000 50000\n", 8),
            ("max 100000", nil), ("", nil),
            ("0 0", nil), ("-5 100", nil), ("9223372036854775807 1", 1_000_000),
        ] as [(String, Int?)])
    func `a quota of version 2 counts whole processors, at least one`(text: String, processors: Int?) {
        #expect(
            quota([
                "/proc/self/mountinfo": unified, "/proc/self/cgroup": "0::/job\n", "/sys/fs/cgroup/job/cpu.max": text,
            ]) == processors)
    }

    @Test func `every level of the groups counts`() {
        var files = ["/proc/self/mountinfo": unified, "/proc/self/cgroup": "0::/slice/job/step\n"]
        #expect(quota(files) == nil)
        files["/sys/fs/cgroup/slice/job/step/cpu.max"] = "800000 100000"
        #expect(quota(files) == 8)
        files["/sys/fs/cgroup/slice/cpu.max"] = "300000 100000"
        #expect(quota(files) == 3)
        files["/sys/fs/cgroup/slice/job/cpu.max"] = "max 100000"
        #expect(quota(files) == 3)
        files["/sys/fs/cgroup/cpu.max"] = "100000 100000"
        #expect(quota(files) == 1)
    }

    @Test func `a quota of version 1 counts, and -1 means none`() {
        var files = [
            "/proc/self/mountinfo": "\(unified)\n\(legacy)\n",
            "/proc/self/cgroup": "2:cpuset:/other\n1:cpu,cpuacct:/docker/a\n0::/\n",
        ]
        files["/sys/fs/cgroup/cpu,cpuacct/docker/a/cpu.cfs_quota_us"] = "-1\n"
        files["/sys/fs/cgroup/cpu,cpuacct/docker/a/cpu.cfs_period_us"] = "100000\n"
        #expect(quota(files) == nil)
        files["/sys/fs/cgroup/cpu,cpuacct/docker/a/cpu.cfs_quota_us"] = "350000\n"
        #expect(quota(files) == 3)
        files["/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us"] = "200000"
        files["/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us"] = "100000"
        #expect(quota(files) == 2)
    }

    @Test func `a container sees its own group as the root`() {
        let inside = "32 31 0:29 /docker/a /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu"
        let file = ["/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "400000", "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"]
        for group in ["/docker/a", "/", "/docker/a/below"] {
            #expect(
                quota(file.merging(["/proc/self/mountinfo": inside, "/proc/self/cgroup": "1:cpu:\(group)\n"]) { $1 })
                    == 4, "\(group)")
        }
        let outside = [
            "/proc/self/mountinfo": unified, "/proc/self/cgroup": "0::/../other\n",
            "/sys/fs/cgroup/cpu.max": "500000 100000",
        ]
        #expect(quota(outside) == 5)
    }

    @Test func `text that is nothing of the kind gives no quota`() {
        for text in ["", "::", "0", "a b c - d", "0::", "1 2 3 4 5 6 - cgroup2 x", "\u{0}"] {
            #expect(quota(["/proc/self/mountinfo": text, "/proc/self/cgroup": text]) == nil)
        }
    }
}
