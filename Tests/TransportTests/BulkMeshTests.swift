import Foundation
import Testing

@testable import Transport

@Suite struct BulkMeshTests {
    @Test(arguments: [1, 2, 3, 5], [false, true])
    func `every rank hears every other in order`(size: Int, encrypted: Bool) throws {
        let results = try onBulkMeshes(of: size, encrypted: { _ in encrypted }) { try exchange($0, frames: 40) }
        for result in results { #expect(try result.get()) }
    }

    @Test(arguments: [false, true])
    func `ranks that all send more than the kernel holds do not wait for each other`(encrypted: Bool) throws {
        let payload = (0..<(128 << 10)).map { UInt8(truncatingIfNeeded: $0 / 3) }
        let results = try onBulkMeshes(of: 3, encrypted: { _ in encrypted }) { mesh in
            let peers = (0..<3).filter { $0 != mesh.rank }
            for step in 1...200 {
                try unsafe mesh.send(
                    .data(from: mesh.rank, step: UInt64(step)), payload: payload.span.bytes, toEach: peers,
                    deadline: .now + .seconds(20))
            }
            var next = [UInt64](repeating: 1, count: 3)
            for _ in 0..<(2 * 200) {
                let (header, bytes) = try mesh.receive()
                guard header.step == next[Int(header.sender)], bytes == payload else { return false }
                next[Int(header.sender)] += 1
            }
            return true
        }
        for result in results { #expect(try result.get()) }
    }

    @Test(arguments: [false, true])
    func `payloads of every length arrive whole`(encrypted: Bool) throws {
        let lengths = [0, 1, 63, 16_384, 16_385, 131_072, 300_000, 3 << 20]
        let results = try onBulkMeshes(of: 2, encrypted: { _ in encrypted }) { mesh in
            for (step, length) in lengths.enumerated() {
                let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 7 + mesh.rank) }
                try mesh.send(.data(from: mesh.rank, step: UInt64(step)), bytes, to: 1 - mesh.rank)
                let expected = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 7 + 1 - mesh.rank) }
                guard try mesh.receive().bytes == expected else { return false }
            }
            return true
        }
        for result in results { #expect(try result.get()) }
    }

    @Test func `keys are renewed while frames are on their way`() throws {
        let payload = [UInt8](repeating: 9, count: 100_000)
        let results = try onBulkMeshes(of: 2, encrypted: { _ in true }) { mesh in
            for case let link? in mesh.bulk { link.renewKeys(after: 250_000) }
            for step in 1...40 {
                try mesh.send(.data(from: mesh.rank, step: UInt64(step)), payload, to: 1 - mesh.rank)
            }
            for step in 1...40 {
                let (header, bytes) = try mesh.receive()
                guard header.step == UInt64(step), bytes == payload else { return false }
            }
            return true
        }
        for result in results { #expect(try result.get()) }
    }

    @Test(arguments: [false, true])
    func `the end of a link ends the generation, after what came before it`(encrypted: Bool) throws {
        let results = try onBulkMeshes(of: 2, encrypted: { _ in encrypted }) { mesh in
            if mesh.rank == 1 {
                try mesh.send(.data(from: 1), [1], to: 0)
                throw CancellationError()
            }
            #expect(try mesh.receive().bytes == [1])
            #expect(throws: MeshError.lost(rank: 1)) { try mesh.receive() }
        }
        _ = try results[0].get()
    }

    @Test(arguments: [false, true])
    func `a slow peer makes its sender wait until the deadline`(encrypted: Bool) throws {
        let payload = [UInt8](repeating: 1, count: 1 << 20)
        let results = try onBulkMeshes(of: 2, encrypted: { _ in encrypted }) { mesh in
            guard mesh.rank == 0 else { return }
            #expect(throws: MeshError.deadline(waitingFor: [1])) {
                for _ in 0..<1_000 { try mesh.send(.data(from: 0), payload, to: 1, within: .milliseconds(300)) }
            }
        }
        for result in results { try result.get() }
    }

    @Test func `a mesh can be cancelled from another thread`() throws {
        let results = try onBulkMeshes(of: 2, encrypted: { _ in true }) { mesh in
            let canceller = mesh.canceller
            let thread = ServiceThread { canceller.cancel() }
            defer { thread.join() }
            #expect(throws: MeshError.cancelled) { try mesh.receive() }
            #expect(throws: MeshError.cancelled) { try mesh.send(.data(from: mesh.rank), [], to: 1 - mesh.rank) }
        }
        for result in results { try result.get() }
    }

    @Test func `a frame that names another rank or generation ends its link`() throws {
        for header in [FrameHeader.data(from: 1, generation: 4), .data(from: 0)] {
            let results = try onBulkMeshes(of: 2, encrypted: { _ in true }) { mesh in
                guard mesh.rank == 0 else { return try mesh.send(header, [1], to: 0) }
                #expect(throws: MeshError.lost(rank: 1)) { try mesh.receive() }
            }
            for result in results { try result.get() }
        }
    }
}
