import Foundation
import Testing

/// Signals during training: a checkpoint, a word on how to go on, and the status of the signal.
@Suite struct SignalTests {
    static let options = ["--batch-size", "4", "--lanes", "2", "--threads", "2", "--learning-rate", "1e-3"]

    @Test(arguments: [SIGINT, SIGTERM])
    func `a signal ends the run after its step and the printed command goes on`(signal: Int32) throws {
        let job = try SmallJob()
        let run = try RunningApus(job.command("run with spaces", Self.options + ["--epochs", "100000"]))
        try run.waitForEpoch(1)
        run.send(signal)
        let end = run.end()
        #expect(end.status == 128 + signal)
        #expect(end.complaint.count == 2, "\(end.complaint)")
        #expect(end.complaint.first?.contains("stopping after this step") == true)
        let last = try #require(end.complaint.last)
        #expect(last.hasPrefix("apus: stopped after step "), "\(last)")
        let step = try #require(
            last.dropFirst("apus: stopped after step ".count).split(separator: ";").first.flatMap { Int($0) })
        #expect(step > 0)
        #expect(job.exists("run with spaces/checkpoints/step-\(step)/manifest.json"))
        #expect(!job.exists("run with spaces/summary.json"))

        let command = try #require(last.components(separatedBy: "resume with: ").last)
        let more = try ScriptRun(shell: "\(command) --max-steps \(step + 3)")
        #expect(more.status == 0, "\(more.text)")
        #expect(more.text.contains("resuming after step \(step) of \(step + 3)"))
        let resumed = try FinishedRun(job, "run with spaces")
        #expect(resumed.steps == Array(1...(step + 3)))
        let whole = try ApusProcess(
            job.command("whole", Self.options + ["--epochs", "100000", "--max-steps", "\(step + 3)"]))
        #expect(whole.status == 0)
        #expect(try FinishedRun(job, "whole").digest == resumed.digest)
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func `a second signal ends the run at once`(signal: Int32) throws {
        let job = try SmallJob()
        let log = try FullLog(job, "run")
        let run = try RunningApus(job.command("run"))
        log.waitUntilFull(for: run.identifier)
        run.send(SIGINT)
        #expect(try run.waitForComplaint().contains("repeat to end at once"))
        run.sendUntilEnd(signal)
        let end = run.end()
        #expect(end.status == 128 + signal)
        #expect(end.complaint == ["apus: ended at once, without a checkpoint of this step"])
        #expect(!job.exists("run/checkpoints"))
        withExtendedLifetime(log) {}
    }

    /// As `timeout` does, which signals the program and then its group: both have arrived before one is handled.
    @Test(arguments: [[SIGTERM, SIGINT], [SIGHUP, SIGTERM], [SIGHUP]])
    func `two signals at once are one, and the end of a terminal is one too`(signals: [Int32]) throws {
        let job = try SmallJob()
        let run = try RunningApus(job.command("run", Self.options + ["--epochs", "100000"]))
        try run.waitForEpoch(1)
        try run.stand()
        for signal in signals { run.send(signal) }
        run.send(SIGCONT)
        let end = run.end()
        #expect(signals.contains(end.status - 128))
        let last = try #require(end.complaint.last)
        let step = try #require(last.firstMatch(of: /stopped after step ([0-9]+);/)).1
        #expect(job.exists("run/checkpoints/step-\(step)/manifest.json"))
    }

    @Test func `a signal is one request however many seeds have run`() throws {
        let job = try SmallJob()
        let seeds = ["--seeds", "0,1,2", "--epochs", "100000", "--max-steps", "1000"]
        let run = try RunningApus(
            job.command("run", Self.options + seeds), after: RunEvents(job.path("run/seed-2")))
        try run.waitForStep(1)
        run.send(SIGTERM)
        let end = run.end()
        #expect(end.status == 128 + SIGTERM)
        #expect(end.complaint.count { $0.contains("stopping after this step") } == 1, "\(end.complaint)")
    }

    /// The signal comes during the last step, so that the evaluation after it finds it.
    @Test(arguments: [false, true])
    func `a signal ends the evaluation after a step, and the printed command begins with it`(hasWorkers: Bool) throws {
        let job = try SmallJob(samples: 6_000)
        let options = ["--batch-size", "3000", "--lanes", "2", "--epochs", "1"]
        let arguments =
            hasWorkers
            ? job.launch("run", workers: 2, options, validation: true) : job.command("run", options, validation: true)
        let run = try RunningApus(arguments, environment: hasWorkers ? job.environment : [:])
        try run.waitForStep(1)
        run.send(SIGINT)
        let end = run.end()
        #expect(end.status == 130)
        let last = try #require(end.complaint.last)
        #expect(last.hasPrefix("apus: stopped after step 2, before it was scored; resume with: "), "\(end.complaint)")
        #expect(job.exists("run/checkpoints/step-2/manifest.json") && !job.exists("run/model-best"))
        let command = try #require(last.components(separatedBy: "resume with: ").last)
        let more = try ScriptRun(shell: command)
        #expect(more.status == 0, "\(more.text)")
        #expect(more.text.contains("epoch 1/1: validation loss "), "\(more.text)")
        #expect(job.exists("run/model-best/model.safetensors"))
        #expect(try FinishedRun(job, "run").steps == [1, 2])
    }

    @Test func `after a signal before the first step that step is still to come`() throws {
        let job = try SmallJob()
        let log = try FullLog(job, "run")
        let run = try RunningApus(job.command("run", ["--max-steps", "2"]))
        log.waitUntilFull(for: run.identifier)
        run.send(SIGTERM)
        try run.waitForComplaint()
        log.empty()
        let end = run.end()
        #expect(end.status == 143)
        #expect(
            end.complaint.last?.hasPrefix("apus: stopped before the first step; start it with: ") == true,
            "\(end.complaint)")
        try FileManager.default.removeItem(atPath: job.path("run/log.txt"))
        #expect(try job.resume("run").steps == [1, 2])
    }

    @Test func `a run that is killed goes on from its newest checkpoint`() throws {
        let job = try SmallJob()
        let run = try RunningApus(job.command("run", Self.options + ["--epochs", "100000", "--checkpoint-every", "1"]))
        try run.waitForEpoch(2)
        run.send(SIGKILL)
        #expect(run.end().status == SIGKILL)
        let saved = try FileManager.default.contentsOfDirectory(atPath: job.path("run/checkpoints"))
        let newest = try #require(saved.compactMap { Int($0.dropFirst("step-".count)) }.max())
        let resumed = try job.resume("run", "--max-steps", "\(newest + 2)")
        #expect(resumed.steps == Array(1...(newest + 2)))
        let whole = try ApusProcess(
            job.command("whole", Self.options + ["--epochs", "100000", "--max-steps", "\(newest + 2)"]))
        #expect(whole.status == 0)
        #expect(try FinishedRun(job, "whole").digest == resumed.digest)
    }
}

/// A run's log that takes nothing until it is emptied: the run waits after its first line on standard output.
final class FullLog {
    private let descriptor: Int32

    init(_ job: SmallJob, _ output: String) throws {
        try FileManager.default.createDirectory(atPath: job.path(output), withIntermediateDirectories: false)
        let path = job.path("\(output)/log.txt")
        try #require(unsafe mkfifo(path, 0o600) == 0)
        descriptor = unsafe open(path, O_RDWR | O_NONBLOCK)
        try #require(descriptor >= 0)
        while unsafe write(descriptor, "\n", 1) == 1 {}
    }

    /// Makes room for all output of a small run, or for this many bytes of it.
    func empty(bytes count: Int = 1 << 16) {
        var bytes = [UInt8](repeating: 0, count: count)
        repeat {} while unsafe read(descriptor, &bytes, bytes.count) > 0 && count == 1 << 16
    }

    /// Makes room for whatever is said from now on.
    func drain() {
        let descriptor = descriptor
        Thread {
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            while unsafe poll(&state, 1, 60_000) > 0, unsafe read(descriptor, &bytes, bytes.count) > 0 {}
        }.start()
    }

    /// Returns once a thread of `process` waits with a line that finds no room.
    ///
    /// A pipe counts as full when its last page is begun; this fills the rest of that page.
    func waitUntilFull(for process: pid_t) {
        var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        for _ in 0..<3_000 where unsafe poll(&state, 1, 0) == 1 { usleep(10_000) }
        while unsafe write(descriptor, "\n", 1) == 1 {}
        for _ in 0..<3_000 where !isWaiting(process) { usleep(10_000) }
    }

    /// The number of the system call that writes.
    private static var writeCall: Int {
        #if arch(x86_64)
        1
        #else
        64
        #endif
    }

    private func isWaiting(_ process: pid_t) -> Bool {
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
        return threads.contains { thread in
            let call = SystemFile.text("/proc/\(process)/task/\(thread)/syscall")?.split(separator: " ") ?? []
            guard call.count > 1, Int(call[0]) == Self.writeCall, let file = Int(call[1].dropFirst(2), radix: 16) else {
                return false
            }
            return (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/fd/\(file)"))?
                .hasSuffix("/log.txt") == true
        }
    }

    deinit { close(descriptor) }
}
