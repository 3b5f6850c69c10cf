import Foundation
import Testing

/// A bit flips in one worker's memory: the worker is found out before its gradient counts, and the bits stay.
@Suite(.enabled(if: ProcessMemory.isAllowed, "writing into another process's memory needs leave to trace it"))
struct TruthTests {
    @Test(arguments: [1, 2])
    func `a worker whose weights change in memory says so, is replaced, and its step is redone`(workers: Int) throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: workers, "--freeze", "embeddings")
        try run.waitForOutput("epoch 3: ")
        let victim = try #require(job.workers.last)
        // A frozen table that every step reads lies in memory as it does in the source model's file.
        let table = try Tensors(job.bytes("model/model.safetensors")).bytes("bert.embeddings.position_embeddings.weight")
        try ProcessMemory(victim).flipBit(of: Data(table.prefix(256)))
        try run.waitForComplaint("its memory no longer holds the weights that it wrote there")
        try run.waitForComplaint("ended with status 1; a replacement starts")
        let end = try run.waitForOutput("is sent away: ")
        #expect(end.contains("generation 1 ended after step "))
        try run.waitForOutput("each exactly once")
        try job.expectUndisturbed(run, "run", ["--freeze", "embeddings"])
    }

    /// Moments are read by nobody but the update: what they do to the weights shows in the others' eyes alone.
    @Test(arguments: [2, 3])
    func `a worker whose optimizer state differs is outvoted, or everyone goes back where there is no majority`(workers: Int) throws {
        let job = try SmallJob(samples: 100)
        let log = try FullLog(job, "run")
        log.empty(bytes: 1 << 12)
        let options = SmallJob.endless + ["--batch-size", "25", "--checkpoint-every", "1"]
        let run = try RunningApus(job.launch("run", workers: workers, options), environment: job.environment)
        // The coordinator stands still at its log while the workers hold the state that the newest checkpoint holds.
        try run.waitForOutput("generation 1: ")
        log.waitUntilFull(for: try #require(job.coordinators.first))
        let names = try FileManager.default.contentsOfDirectory(atPath: job.path("run/checkpoints")).compactMap { Int($0.dropFirst(5)) }
        let newest = try #require(names.max())
        let moments = try Tensors(job.bytes("run/checkpoints/step-\(newest)/optimizer.safetensors")).bytes("exp_avg.classifier.weight")
        try ProcessMemory(try #require(job.workers.last)).flipBit(of: Data(moments.prefix(64)))
        log.drain()
        if workers == 3 {
            try run.waitForComplaint("are not those of the other workers: look at its memory")
            let end = try run.waitForOutput("is sent away: the weights after step ")
            #expect(end.contains("going on with 2"))
        } else {
            try run.waitForOutput("and no majority")
            try run.waitForOutput("going back to the checkpoint of step ")
        }
        try run.waitForOutput("each exactly once")
        try job.expectUndisturbed(run, "run", ["--batch-size", "25"])
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
        defer { child.terminate() }
        let memory = unsafe open("/proc/\(child.processIdentifier)/mem", O_RDWR)
        defer { close(memory) }
        return memory >= 0
    }()

    /// Flips a high bit of the mantissa of a float in every place that holds these bytes; one at least.
    func flipBit(of bytes: Data, location: SourceLocation = #_sourceLocation) throws {
        let memory = unsafe open("/proc/\(process)/mem", O_RDWR)
        try #require(memory >= 0, sourceLocation: location)
        defer { close(memory) }
        kill(process, SIGSTOP)
        defer { kill(process, SIGCONT) }
        var found = 0
        for line in try String(contentsOfFile: "/proc/\(process)/maps", encoding: .utf8).split(separator: "\n") where line.contains(" rw-p ") {
            let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { Int($0, radix: 16) }
            guard ends.count == 2, ends[1] - ends[0] <= 256 << 20 else { continue }
            var region = [UInt8](repeating: 0, count: ends[1] - ends[0])
            // A region may have shrunk since it was listed.
            let count = unsafe pread(memory, &region, region.count, off_t(ends[0]))
            region.removeSubrange(max(count, 0)...)
            for place in Self.places(of: Array(bytes), in: region) {
                let target = place + bytes.count / 8 * 4 + 2
                var changed = region[target] ^ 0x04
                if unsafe pwrite(memory, &changed, 1, off_t(ends[0] + target)) == 1 { found += 1 }
            }
        }
        #expect(found > 0, "no place of process \(process) holds these \(bytes.count) bytes", sourceLocation: location)
    }

    private static func places(of bytes: [UInt8], in region: [UInt8]) -> [Int] {
        unsafe region.withUnsafeBytes { region in
            var places: [Int] = []
            var start = 0
            while start + bytes.count <= region.count,
                let hit = unsafe memchr(region.baseAddress! + start, CInt(bytes[0]), region.count - bytes.count - start + 1)
            {
                let place = unsafe UnsafeRawPointer(hit) - UnsafeRawPointer(region.baseAddress!)
                let isHere = unsafe memcmp(hit, bytes, bytes.count) == 0
                if isHere { places.append(place) }
                start = place + (isHere ? bytes.count : 1)
            }
            return places
        }
    }
}
