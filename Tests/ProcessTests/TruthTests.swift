import Foundation
import Testing

/// A bit flips in one worker's memory: the worker is found out before its gradient counts, and the bits stay.
@Suite(.enabled(if: ProcessMemory.isAllowed, "writing into another process's memory needs leave to trace it"))
struct TruthTests {
    @Test(arguments: [1, 2])
    func `a worker whose weights change in memory says so, is replaced, and its step is redone`(workers: Int) throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: workers, "--freeze", "embeddings")
        try run.waitForEpoch(3)
        // A frozen table that every step reads lies in memory as it does in the source model's file.
        let table = try Tensors(job.bytes("model/model.safetensors")).bytes(
            "bert.embeddings.position_embeddings.weight")
        try ProcessMemory.flipBit(of: Data(table.prefix(256))) { try #require(job.workers.last) }
        try run.waitForGenerationEnd()
        try run.waitForGeneration(workers: workers)
        try run.waitForEpoch()
        let said = try job.expectUndisturbed(run, "run", ["--freeze", "embeddings"])
        #expect(said.complaint.contains { $0.contains("its memory no longer holds the weights") }, "\(said)")
        #expect(said.output.contains { $0.contains("is removed: ") }, "\(said)")
    }

    /// Only the update reads moments: their effect on the weights is visible only in comparison with other workers.
    @Test(arguments: [2, 3])
    func `a worker whose optimizer state differs is outvoted, or everyone goes back where there is no majority`(
        workers: Int
    ) throws {
        let job = try SmallJob(samples: 100)
        let log = try FullLog(job, "run")
        log.empty(bytes: 1 << 13)
        let options = SmallJob.endless + ["--batch-size", "25", "--checkpoint-every", "1"]
        let run = try RunningApus(job.launch("run", workers: workers, options), environment: job.environment)
        // The coordinator blocks on its log while the workers have the state of the newest checkpoint.
        try run.waitForGeneration(1)
        log.waitUntilFull(for: try #require(job.coordinators.first))
        let names = try FileManager.default.contentsOfDirectory(atPath: job.path("run/checkpoints")).compactMap {
            Int($0.dropFirst(5))
        }
        let newest = try #require(names.max())
        let moments = try Tensors(job.bytes("run/checkpoints/step-\(newest)/optimizer.safetensors")).bytes(
            "exp_avg.classifier.weight")
        try ProcessMemory.flipBit(of: Data(moments.prefix(64))) { try #require(job.workers.last) }
        log.drain()
        try run.waitForGenerationEnd(1)
        try run.waitForGeneration(2)
        try run.waitForEpoch()
        let said = try job.expectUndisturbed(run, "run", ["--batch-size", "25"])
        if workers == 3 {
            #expect(said.output.contains { $0.contains("is removed") && $0.contains("continuing with 2") }, "\(said)")
            #expect(said.complaint.contains { $0.contains("check its memory") }, "\(said)")
        } else {
            #expect(said.output.contains { $0.contains("no majority") }, "\(said)")
            #expect(said.output.contains { $0.contains("going back to the checkpoint of step ") }, "\(said)")
        }
        withExtendedLifetime(log) {}
    }
}

/// The memory of another process, of one's own user.
struct ProcessMemory {
    private let process: pid_t

    init(_ process: pid_t) { self.process = process }

    /// Whether the system lets a parent write its child's memory.
    static let isAllowed: Bool = {
        let child = Process()
        child.executableURL = URL(filePath: "/bin/sleep")
        child.arguments = ["60"]
        guard (try? child.run()) != nil else { return false }
        defer { kill(child.processIdentifier, SIGKILL) }
        let memory = unsafe open("/proc/\(child.processIdentifier)/mem", O_RDWR)
        defer { close(memory) }
        return memory >= 0
    }()

    private typealias Find = @convention(c) (UnsafeRawPointer, Int, UnsafeRawPointer, Int) -> UnsafeMutableRawPointer?

    /// Flips a high bit of the mantissa of a float in every place of a process that holds these bytes; one at least.
    static func flipBit(of bytes: Data, in process: () throws -> pid_t, location: SourceLocation = #_sourceLocation)
        throws
    {
        var found = 0
        for _ in 0..<20 where found == 0 { found = try ProcessMemory(process()).flipBit(of: bytes, location: location) }
        #expect(found > 0, "no process held these \(bytes.count) bytes", sourceLocation: location)
    }

    private func flipBit(of bytes: Data, location: SourceLocation) throws -> Int {
        let memory = unsafe open("/proc/\(process)/mem", O_RDWR)
        try #require(memory >= 0, sourceLocation: location)
        defer { close(memory) }
        let find = unsafe unsafeBitCast(
            try #require(unsafe dlsym(UnsafeMutableRawPointer(bitPattern: 0), "memmem")), to: Find.self)
        // No page comes or goes while it is looked at, for less time than a heartbeat may fail to come.
        kill(process, SIGSTOP)
        defer { kill(process, SIGCONT) }
        var found = 0
        for line in try #require(SystemFile.text("/proc/\(process)/maps"), sourceLocation: location).split(
            separator: "\n") where line.contains(" rw-p ")
        {
            let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { Int($0, radix: 16) }
            // What is larger is a sanitizer's, and holds no weights.
            guard ends.count == 2, ends[1] - ends[0] < 1 << 34 else { continue }
            let region = UnsafeMutableRawBufferPointer.allocate(byteCount: ends[1] - ends[0], alignment: 64)
            defer { unsafe region.deallocate() }
            let count = max(0, unsafe pread(memory, region.baseAddress, region.count, off_t(ends[0])))
            var start = 0
            while let place = unsafe bytes.withUnsafeBytes({ wanted in
                unsafe find(region.baseAddress! + start, count - start, wanted.baseAddress!, wanted.count).map {
                    unsafe UnsafeRawPointer($0) - UnsafeRawPointer(region.baseAddress!)
                }
            }) {
                start = place + bytes.count
                let target = place + bytes.count / 8 * 4 + 2
                var changed = unsafe region[target] ^ 0x04
                if unsafe pwrite(memory, &changed, 1, off_t(ends[0] + target)) == 1 { found += 1 }
            }
        }
        return found
    }
}
