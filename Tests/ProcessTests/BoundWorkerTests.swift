import Foundation
import Testing

/// Workers that a launcher gives the processors of a NUMA node.
@Suite struct BoundWorkerTests {
    let started: HandStartedTests
    var job: SmallJob { started.job }

    init() throws { started = try HandStartedTests() }

    /// The processors on which each thread of a process may run.
    private func allowed(_ process: String) throws -> Set<String> {
        let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")
        let lists = threads.compactMap { thread in
            SystemFile.text("/proc/\(process)/task/\(thread)/status")?.split(separator: "\n")
                .first { $0.hasPrefix("Cpus_allowed_list:") }?.split(separator: "\t").last.map(String.init)
        }
        return Set(lists)
    }

    @Test func `a worker stays on the processors that it is given, one that cannot works all the same`() throws {
        let all = try #require(try allowed("self").first)
        let last = try #require(all.split { !$0.isNumber }.last.map(String.init))
        let single = try ApusProcess(job.command("single", HandStartedTests.options))
        #expect(single.status == 0, "\(single.complaint)")
        let port = try started.freePort()
        let coordinator = try started.coordinator(
            port, workers: 2, keys: nil, HandStartedTests.options + ["--insecure"])
        let workers = try [last, "1048575"].map {
            try started.worker(port, keys: nil, "--insecure", "--processors", $0, "--log-level", "debug")
        }
        try coordinator.waitForGeneration(workers: 2)
        #expect(try workers.map { try allowed("\($0.id)") } == [[last], [all]])
        let end = coordinator.end()
        #expect(end.status == 0, "\(end.complaint)")
        for (worker, processors) in zip(workers, [last, "1048575"]) {
            let end = worker.end()
            #expect(end.status == 0)
            #expect(end.complaint.contains { $0.hasSuffix("processors=\(processors)") }, "\(end.complaint)")
        }
        #expect(try FinishedRun(job, "run").digest == FinishedRun(job, "single").digest)
    }

    @Test(arguments: ["", "x", "3-1", "0-"])
    func `a list that is none is one line`(list: String) throws {
        expectOneLine(
            try ApusProcess("work", "--coordinator", "tcp://127.0.0.1:9", "--insecure", "--processors", list),
            status: 2, "--processors is '\(list)'", "such as 0-3,8-11")
    }
}
