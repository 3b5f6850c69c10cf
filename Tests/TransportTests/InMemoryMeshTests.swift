import Testing
import TransportTesting

@testable import Transport

@Suite struct InMemoryMeshTests {
    @Test func `frames of one peer keep their order`() throws {
        let world = InMemoryMesh.world(size: 3)
        for step in 1...10 {
            for sender in 1...2 {
                try world[sender].send(.data(from: sender, step: UInt64(step)), [UInt8(step)], to: 0)
            }
        }
        var next = [0, 1, 1]
        for _ in 0..<20 {
            let (header, bytes) = try world[0].receive()
            #expect(bytes == [UInt8(next[Int(header.sender)])])
            next[Int(header.sender)] += 1
        }
    }

    @Test func `a full link makes its sender wait until there is room`() throws {
        let world = InMemoryMesh.world(size: 2, capacity: 1)
        try world[0].send(.data(from: 0), [1], to: 1)
        #expect(throws: MeshError.deadline(waitingFor: [1])) {
            try world[0].send(.data(from: 0), [2], to: 1, within: .milliseconds(5))
        }
        let thread = ServiceThread { try? world[0].send(.data(from: 0), [3], to: 1) }
        #expect(try world[1].receive().bytes == [1])
        #expect(try world[1].receive().bytes == [3])
        thread.join()
    }

    @Test func `a rank that ends is lost to the others, after what it sent`() throws {
        let world = InMemoryMesh.world(size: 2)
        try world[1].send(.data(from: 1), [1], to: 0)
        world[1].close()
        #expect(try world[0].receive().bytes == [1])
        #expect(throws: MeshError.lost(rank: 1)) { try world[0].receive() }
        #expect(throws: MeshError.lost(rank: 1)) { try world[0].send(.data(from: 0), [1], to: 1) }
    }

    @Test func `a rank that waits can be cancelled`() throws {
        let world = InMemoryMesh.world(size: 2)
        let thread = ServiceThread { world[0].cancel() }
        #expect(throws: MeshError.cancelled) { try world[0].receive() }
        thread.join()
    }
}

@Suite struct FaultyMeshTests {
    @Test func `held back frames overtake each other across peers and never within one`() throws {
        var orders: Set<[UInt16]> = []
        for seed in 0..<20 {
            let world = InMemoryMesh.world(size: 3)
            var faults = FaultyMesh.Faults()
            faults.delayPerMille = 400
            let mesh = FaultyMesh(world[0], seed: UInt64(seed), faults: faults)
            for step in 1...8 {
                for sender in 1...2 {
                    try world[sender].send(.data(from: sender, step: UInt64(step)), [UInt8(step)], to: 0)
                }
            }
            var next = [0, 1, 1]
            var order: [UInt16] = []
            for _ in 0..<16 {
                let header = try mesh.receive().header
                #expect(header.step == UInt64(next[Int(header.sender)]))
                next[Int(header.sender)] += 1
                order.append(header.sender)
            }
            orders.insert(order)
        }
        #expect(orders.count > 10)
    }

    @Test func `a seed cuts the same payloads every time`() throws {
        func lengths() throws -> [Int] {
            let world = InMemoryMesh.world(size: 2)
            var faults = FaultyMesh.Faults()
            faults.truncatePerMille = 500
            let mesh = FaultyMesh(world[0], seed: 3, faults: faults)
            return try (0..<20).map { _ in
                try world[1].send(.data(from: 1), [UInt8](repeating: 0, count: 100), to: 0)
                return try mesh.receive().bytes.count
            }
        }
        let lengths = try (lengths(), lengths())
        #expect(lengths.0 == lengths.1)
        #expect(lengths.0.contains(100) && lengths.0.contains { $0 < 100 })
    }

    @Test func `a lost link stays lost`() throws {
        var faults = FaultyMesh.Faults()
        faults.callsUntilLoss = 1
        let mesh = FaultyMesh(InMemoryMesh.world(size: 2)[0], seed: 1, faults: faults)
        try mesh.send(.data(from: 0), [1], to: 1)
        for _ in 0..<2 { #expect(throws: MeshError.lost(rank: 1)) { try mesh.send(.data(from: 0), [1], to: 1) } }
    }
}
