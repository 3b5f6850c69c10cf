import Foundation
import Tensors
import Testing

@testable import Collectives
@testable import Reduction

@Suite struct SharedMemoryTests {
    static func name() -> String {
        var generator = SystemRandomNumberGenerator()
        return SharedMemorySegment.privateName(using: &generator)
    }

    @Test func aReaderSeesWhatTheWriterWroteAfterTheNameIsGone() throws {
        let name = Self.name()
        let writer = try SharedMemorySegment(creating: name, count: 5_000)
        defer { writer.unlink() }
        let reader = try SharedMemorySegment(reading: name, count: 5_000)
        writer.unlink()
        writer.view[4_999] = 3.5
        #expect(reader.view[4_999] == 3.5)
        #expect(reader.view[0] == 0)
        #expect(throws: SharedMemoryError.self) { try SharedMemorySegment(reading: name, count: 5_000) }
    }

    @Test func memoryLastsAsLongAsAViewOfIt() throws {
        let name = Self.name()
        var writer: SharedMemorySegment? = try SharedMemorySegment(creating: name, count: 100)
        let view = try #require(writer).view
        writer?.unlink()
        writer = nil
        view.fill(2)
        #expect(view.array == [Float](repeating: 2, count: 100))
    }

    @Test func aNameInUseOrASegmentOfAnotherSizeIsRefused() throws {
        let name = Self.name()
        let writer = try SharedMemorySegment(creating: name, count: 100)
        defer { writer.unlink() }
        #expect(throws: SharedMemoryError(operation: "shm_open", code: EEXIST, bytes: 400)) {
            try SharedMemorySegment(creating: name, count: 100)
        }
        #expect(throws: SharedMemoryError(operation: "fstat", code: EINVAL, bytes: 404)) {
            try SharedMemorySegment(reading: name, count: 101)
        }
    }

    @Test func aSegmentThatFindsNoRoomIsATypedErrorAndLeavesNoName() {
        let name = Self.name()
        #expect(throws: SharedMemoryError.self) { try SharedMemorySegment(creating: name, count: 1 << 58) }
        #expect(throws: SharedMemoryError(operation: "shm_open", code: ENOENT, bytes: 4)) {
            try SharedMemorySegment(reading: name, count: 1)
        }
    }

    @Test func whereOneRankCannotShareItsHostGoesThroughTheMeshAndOthersKeepSharing() throws {
        // Ranks 0 to 2 share a host, 3 and 4 another; rank 1 tells a name that leads nowhere.
        let results = onRanks(5) { mesh -> (hosts: [Int], shared: Bool, bits: [UInt32]) in
            if mesh.rank == 1 {
                mesh.tamper = { header, bytes in
                    bytes.count == Self.name().utf8.count ? (header, Array("/apus-nowhere".utf8)) : (header, bytes)
                }
            }
            let links = ExchangeLinks(mesh: mesh, generation: 1)
            let lanes = LaneAssignment(laneCount: 5, workers: 5).lanes
            let plan = ExchangePlan(
                laneCount: 5, lanes: lanes, hosts: [0, 0, 0, 1, 1], count: 9_000, frameElements: 500)
            var generator = SystemRandomNumberGenerator()
            let made = try HostMemory.establish(
                plan, links: links, step: 0, bucket: 0, deadline: .farOff, generator: &generator)
            mesh.tamper = nil
            let reduce = AllReduce(plan: made.plan, memory: made.memory, links: links)
            _ = AllReduceTests.fill(reduce, rank: mesh.rank, empty: [])
            let whole = FloatBuffer(count: 9_000).view
            try #require(try reduce.run(step: 1, deadline: .farOff)).copy(into: whole)
            return (made.plan.hosts, made.memory.isShared, bits(whole.array))
        }
        let expected = bits(try #require(sum(0..<5, ReductionTree(laneCount: 5), empty: [], count: 9_000)))
        for (rank, result) in results.enumerated() {
            let found = try result.get()
            #expect(found.hosts == [0, 1, 2, 3, 3])
            #expect(found.shared == (rank > 2))
            #expect(found.bits == expected)
        }
    }

    @Test func namesOfSegmentsAreGoneOnceAllHaveMappedThem() throws {
        let names = {
            try Set(FileManager.default.contentsOfDirectory(atPath: "/dev/shm").filter { $0.hasPrefix("apus-") })
        }
        guard FileManager.default.fileExists(atPath: "/dev/shm") else { return }
        let results = onRanks(2) { mesh in
            let plan = ExchangePlan(laneCount: 2, lanes: [0..<1, 1..<2], hosts: [0, 0], count: 100)
            let links = ExchangeLinks(mesh: mesh, generation: 1)
            var generator = FixedGenerator(state: UInt64(mesh.rank) + UInt64(getpid()) << 32)
            var same = generator
            let own = SharedMemorySegment.privateName(using: &same)
            let made = try HostMemory.establish(
                plan, links: links, step: 0, bucket: 0, deadline: .farOff, generator: &generator)
            _ = try links.allGather([], step: 0, bucket: 9, deadline: .farOff)
            return (shared: made.memory.isShared, name: String(own.dropFirst()))
        }
        for result in results {
            let found = try result.get()
            #expect(found.shared)
            #expect(!(try names().contains(found.name)))
        }
    }

    struct FixedGenerator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state
        }
    }

    @Test func `the name that a killed process has left is taken away, not that of a living one`() throws {
        let (used, abandoned) = (Self.name(), Self.name())
        let writer = try SharedMemorySegment(creating: used, count: 100)
        defer { writer.unlink() }
        let file = unsafe shm_open(abandoned, O_RDWR | O_CREAT | O_EXCL, 0o600)
        try #require(file >= 0)
        close(file)
        func exists(_ name: String) -> Bool { unsafe access("/dev/shm" + name, F_OK) == 0 }
        SharedMemorySegment.removeAbandoned()
        #expect(exists(used) && exists(abandoned), "both are young")
        for name in [used, abandoned] {
            let times = [timespec(tv_sec: 1_000, tv_nsec: 0), timespec(tv_sec: 1_000, tv_nsec: 0)]
            let result = unsafe utimensat(AT_FDCWD, "/dev/shm" + name, times, 0)
            try #require(result == 0)
        }
        SharedMemorySegment.removeAbandoned()
        #expect(exists(used) && !exists(abandoned))
    }
}
