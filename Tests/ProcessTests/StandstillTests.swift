import Foundation
import Testing

/// Workers that answer and get nowhere, workers too few, and disks too full.
@Suite struct StandstillTests {
    /// One thread is held still: the process, its heartbeats and its answers go on.
    @Test(.enabled(if: HeldThread.isAllowed, "holding another process's thread needs leave to trace it"))
    func `a worker whose data thread stands still is sent away after the progress deadline and replaced`() throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 2, "--progress-timeout", "1")
        try run.waitForEpoch(3)
        let held = try HeldThread("apus data", of: try #require(job.workers.first))
        let end = try run.waitForGenerationEnd(1)
        #expect((end["lost"] as? [Int])?.count == 1, "\(end)")
        #expect((end["reason"] as? String)?.contains("was not done within") == true, "\(end)")
        // Its last words: it is about to end.
        try run.waitForLine(of: .worker)
        // A process whose thread is traced does not end.
        held.release()
        try run.waitForGeneration(workers: 2)
        try run.waitForEpoch()
        try job.expectUndisturbed(run, "run")
    }

    @Test func `below --min-workers the run waits, says so, and goes on when enough are there`() throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 2, "--min-workers", "2")
        try run.waitForEpoch(3)
        kill(try #require(job.workers.last), SIGKILL)
        try run.waitForGeneration(workers: 2)
        // The second replacement starts after a pause, so the others surely wait.
        kill(try #require(job.workers.last), SIGKILL)
        try run.waitForGeneration(workers: 2)
        try run.waitForEpoch()
        let said = try job.expectUndisturbed(run, "run").output
        #expect(said.contains { $0.contains("waiting for workers: 1 of 2 connected") }, "\(said)")
    }
}

/// A thread of another process, held still until this goes.
final class HeldThread: @unchecked Sendable {
    private static let attach: Int32 = 0x4206  // PTRACE_SEIZE
    private static let interrupt: Int32 = 0x4207  // PTRACE_INTERRUPT
    private typealias Trace = @convention(c) (Int32, pid_t, UInt, UInt) -> Int
    private let end = DispatchSemaphore(value: 0)

    /// Whether the system lets a parent trace its child.
    static var isAllowed: Bool { ProcessMemory.isAllowed && trace != nil }

    private static var trace: Trace? {
        guard let symbol = unsafe dlsym(UnsafeMutableRawPointer(bitPattern: 0), "ptrace") else { return nil }
        return unsafe unsafeBitCast(symbol, to: Trace.self)
    }

    init(_ name: String, of process: pid_t, location: SourceLocation = #_sourceLocation) throws {
        var names: [pid_t: String] = [:]
        for _ in 0..<100 where !names.values.contains(where: { $0.hasPrefix(name) }) {
            names = try Self.threads(of: process)
        }
        let thread = try #require(names.first { $0.value.hasPrefix(name) }?.key, "\(names)", sourceLocation: location)
        let held = DispatchSemaphore(value: 0)
        let end = end
        // What a thread traces is let go when that thread ends.
        let tracer = Thread {
            _ = Self.trace?(Self.attach, thread, 0, 0)
            _ = Self.trace?(Self.interrupt, thread, 0, 0)
            held.signal()
            end.wait()
        }
        tracer.start()
        held.wait()
    }

    private static func threads(of process: pid_t) throws -> [pid_t: String] {
        let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task").compactMap {
            pid_t($0)
        }
        return Dictionary(
            uniqueKeysWithValues: threads.map { ($0, SystemFile.text("/proc/\(process)/task/\($0)/comm") ?? "") })
    }

    func release() { end.signal() }

    deinit { release() }
}
