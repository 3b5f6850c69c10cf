import Foundation
import Testing

/// A worker that the kernel ends because its group has no memory left.
@Suite(
    .enabled(
        if: MemoryGroup.isPossible,
        "needs root, the memory controller of control groups, and no sanitizer, which takes memory of its own"))
struct MemoryLimitTests {
    @Test func `a worker that is killed for want of memory is replaced, and the bits stay`() throws {
        let job = try SmallJob()
        let group = try MemoryGroup()
        let run = try job.startEndless("run", workers: 2)
        try run.waitForEpoch(2)
        try group.exhaust(with: try #require(job.workers.last))
        try run.waitForGenerationEnd(1)
        try run.waitForEpoch()
        try job.expectUndisturbed(run, "run")
    }
}

/// A control group with little memory; removed with its last user.
final class MemoryGroup {
    private let path: String

    /// Version 1 has a folder for the controller; in version 2 it must be given on to the groups below the root.
    private static let (root, limit): (String, String) =
        FileManager.default.fileExists(atPath: "/sys/fs/cgroup/memory/memory.limit_in_bytes")
        ? ("/sys/fs/cgroup/memory", "memory.limit_in_bytes") : ("/sys/fs/cgroup", "memory.max")

    static let isPossible: Bool = {
        let probe = "\(root)/apus-probe-\(getpid())"
        let isSanitized = unsafe (dlsym(nil, "__asan_init") ?? dlsym(nil, "__tsan_init")) != nil
        return getuid() == 0 && !isSanitized
            && SSHServer.succeeds(
                "mkdir '\(probe)' && test -w '\(probe)/\(limit)'; status=$?; rmdir '\(probe)'; exit $status")
    }()

    init() throws {
        path = "\(Self.root)/apus-\(getpid())-\(UInt16.random(in: 0 ... .max))"
        try SSHServer.run("mkdir '\(path)' && echo $((48 << 20)) >'\(path)/\(Self.limit)'")
    }

    /// Moves a process into the group, as the one to be killed first, has another take all memory there, and returns
    /// once the first has ended: the other may be killed too before its memory is free.
    func exhaust(with process: pid_t) throws {
        let run = try ScriptRun(
            shell: """
                echo \(process) >'\(path)/cgroup.procs' && echo 1000 >/proc/\(process)/oom_score_adj || exit 3
                timeout 20 bash -c 'echo $$ >"\(path)/cgroup.procs"; exec tail /dev/zero' >/dev/null 2>&1
                timeout 20 tail --pid=\(process) -f /dev/null
                """)
        #expect(run.status == 0, "the kernel did not kill the worker: \(run.text)")
    }

    deinit { _ = SSHServer.succeeds("rmdir '\(path)'") }
}
