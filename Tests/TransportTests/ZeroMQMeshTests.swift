import Foundation
import Testing

@testable import Transport

@Suite struct ZeroMQMeshTests {
    @Test(arguments: [1, 2, 3, 5], [false, true])
    func `every rank hears every other in order`(size: Int, encrypted: Bool) throws {
        let results = try onMeshes(of: size, at: { _ in "tcp://127.0.0.1:*" }, encrypted: encrypted) { mesh in
            try exchange(mesh, frames: 40)
        }
        for result in results { #expect(try result.get()) }
    }

    @Test func `links over ipc carry the same`() throws {
        try withFolder { folder in
            let results = try onMeshes(of: 3, at: { "ipc://\(folder)/\($0)" }) { mesh in try exchange(mesh, frames: 40)
            }
            for result in results { #expect(try result.get()) }
        }
    }

    @Test func `ranks that all send more than queues hold do not wait for each other`() throws {
        let payload = [UInt8](repeating: 1, count: 64 << 10)
        let results = try onMeshes(of: 2, at: { _ in "tcp://127.0.0.1:*" }) { mesh in
            for step in 1...400 {
                try mesh.send(.data(from: mesh.rank, step: UInt64(step)), payload, to: 1 - mesh.rank)
            }
            for step in 1...400 { guard try mesh.receive().header.step == UInt64(step) else { return false } }
            return true
        }
        for result in results { #expect(try result.get()) }
    }

    @Test(arguments: [false, true])
    func `what is lent to links arrives as what is copied, and in the same order`(encrypted: Bool) throws {
        let sizes = [1, 16 << 10, (16 << 10) - 1, 300_000, 0]
        @Sendable func content(_ rank: Int, _ size: Int) -> [UInt8] {
            (0..<size).map { UInt8(truncatingIfNeeded: $0 * 7 + rank) }
        }
        let results = try onMeshes(of: 3, at: { _ in "tcp://127.0.0.1:*" }, encrypted: encrypted) { mesh in
            let peers = (0..<3).filter { $0 != mesh.rank }
            for (step, size) in sizes.enumerated() {
                let owner = NSData(data: Data(content(mesh.rank, size)))
                let lent = unsafe LentBytes(UnsafeRawBufferPointer(start: owner.bytes, count: size), of: owner)
                try mesh.send(
                    .data(from: mesh.rank, step: UInt64(2 * step)), lending: lent, toEach: peers,
                    deadline: .now + .seconds(10))
                for peer in peers {
                    try mesh.send(.data(from: mesh.rank, step: UInt64(2 * step + 1)), [UInt8(step)], to: peer)
                }
            }
            var next = [UInt64](repeating: 0, count: 3)
            for _ in 0..<(2 * sizes.count * peers.count) {
                let (header, bytes) = try mesh.receive()
                let (sender, place) = (Int(header.sender), Int(header.step) / 2)
                guard header.step == next[sender] else { return false }
                guard bytes == (header.step % 2 == 0 ? content(sender, sizes[place]) : [UInt8(place)]) else {
                    return false
                }
                next[sender] += 1
            }
            return true
        }
        for result in results { #expect(try result.get()) }
    }

    @Test func `a frame in parts that are not those of its header is refused`() throws {
        let context = try Context()
        let listener = try MeshListener(at: "tcp://127.0.0.1:*", keys: nil, in: context)
        let others = try MeshListener(at: "tcp://127.0.0.1:*", keys: nil, in: context)
        let roster = MeshRoster(
            generation: 1, token: 9,
            peers: [listener.endpoint, others.endpoint].map { MeshPeer(endpoint: $0, key: nil) })
        let socket = try Socket(.dealer, in: context)
        try socket.connect(listener.endpoint)
        var hello = FrameHeader.data(from: 1, generation: 1, offset: 9)
        hello.kind = 0
        let (greeting, head) = (
            FrameCodec.encode(hello, payloadBytes: 0), FrameCodec.encode(.data(from: 1, generation: 1), payloadBytes: 4)
        )
        let bad: [[[UInt8]]] = [
            [greeting, [1]], [head, [1, 2, 3]], [head, [1, 2, 3, 4, 5]], [head, [1, 2, 3, 4], [5]],
            [head + [1, 2], [3, 4]], [[], head + [1, 2, 3, 4]],
        ]
        for message in [[greeting]] + bad + [[head, [1, 2, 3, 4]]] {
            for (place, part) in message.enumerated() {
                let isSent = try socket.send(part, more: place + 1 < message.count)
                try #require(isSent)
            }
        }
        let mesh = try listener.mesh(rank: 0, roster: roster, deadline: .now + .seconds(10))
        #expect(try mesh.receive().bytes == [1, 2, 3, 4])
        #expect(mesh.refusedFrames == bad.count)
    }

    @Test func `the end of a link ends the generation`() throws {
        let results = try onMeshes(of: 2, at: { _ in "tcp://127.0.0.1:*" }) { mesh in
            // Rank 1 leaves only when rank 0's links are established, too.
            if mesh.rank == 1 {
                _ = try mesh.receive()
                throw CancellationError()
            }
            try mesh.send(.data(from: 0), [1], to: 1, within: .seconds(10))
            return #expect(throws: MeshError.lost(rank: 1)) { try mesh.receive() }
        }
        _ = try results[0].get()
    }

    @Test func `a slow peer makes its sender wait until the deadline`() throws {
        let payload = [UInt8](repeating: 1, count: 1 << 20)
        let results = try onMeshes(of: 2, at: { _ in "tcp://127.0.0.1:*" }) { mesh in
            guard mesh.rank == 0 else { return }
            #expect(throws: MeshError.deadline(waitingFor: [1])) {
                for _ in 0..<1_000 { try mesh.send(.data(from: 0), payload, to: 1, within: .milliseconds(300)) }
            }
        }
        for result in results { try result.get() }
    }

    @Test func `once its links stand a data port lets nobody else in`() throws {
        let results = try onMeshes(of: 2, at: { _ in "tcp://127.0.0.1:*" }) { mesh in
            let late = try RawConnection(
                port: try #require(UInt16(mesh.roster.peers[mesh.rank].endpoint.split(separator: ":").last ?? "")),
                isPatient: false)
            defer { late.close() }
            try mesh.send(.data(from: mesh.rank), [1], to: 1 - mesh.rank)
            return try mesh.receive().bytes == [1] && !late.stands(within: .milliseconds(50))
        }
        for result in results { #expect(try result.get()) }
    }

    @Test func `a mesh can be cancelled from another thread`() throws {
        let results = try onMeshes(of: 2, at: { _ in "tcp://127.0.0.1:*" }) { mesh in
            let canceller = mesh.canceller
            let thread = ServiceThread { canceller.cancel() }
            defer { thread.join() }
            #expect(throws: MeshError.cancelled) { try mesh.receive() }
            #expect(throws: MeshError.cancelled) { try mesh.send(.data(from: mesh.rank), [], to: 1 - mesh.rank) }
        }
        for result in results { try result.get() }
    }

    @Test func `frames of another generation are dropped and counted`() throws {
        let results = try onMeshes(of: 2, at: { _ in "tcp://127.0.0.1:*" }) { mesh in
            try mesh.send(.data(from: mesh.rank, generation: 4), [1], to: 1 - mesh.rank)
            try mesh.send(.data(from: mesh.rank, generation: 6), [2], to: 1 - mesh.rank)
            try mesh.send(.data(from: 1 - mesh.rank), [3], to: 1 - mesh.rank)
            try mesh.send(.data(from: mesh.rank), [4], to: 1 - mesh.rank)
            #expect(try mesh.receive().bytes == [4])
            #expect(mesh.refusedFrames == 3)
        }
        for result in results { try result.get() }
    }

    @Test func `a rank that never comes is named`() throws {
        let context = try Context()
        let listener = try MeshListener(at: "tcp://127.0.0.1:*", keys: nil, in: context)
        let absent = MeshPeer(endpoint: "tcp://127.0.0.1:1", key: nil)
        let roster = MeshRoster(
            generation: 1, token: 1, peers: [MeshPeer(endpoint: listener.endpoint, key: nil), absent])
        #expect(failureToForm(listener, roster) == .deadline(waitingFor: [1]))
    }

    @Test func `a rank whose key is admitted late is linked all the same`() throws {
        let (contexts, keys) = (try [Context(), Context()], [KeyPair.generate(), KeyPair.generate()])
        let lists = [AllowList([keys[1].publicKey]), AllowList()]
        let authenticators = try zip(contexts, lists).map { try Authenticator(in: $0, allowList: $1) }
        let ranks = Ranks<Int>(size: 2)
        let threads = (0..<2).map { rank in
            let (context, pair) = (contexts[rank], keys[rank])
            return ServiceThread {
                ranks.finish(
                    rank,
                    Result {
                        let listener = try MeshListener(at: "tcp://127.0.0.1:*", keys: pair, in: context)
                        let endpoints = ranks.announce(rank, listener.endpoint)
                        let peers = zip(endpoints, keys).map { MeshPeer(endpoint: $0, key: $1.publicKey) }
                        let mesh = try listener.mesh(
                            rank: rank, roster: MeshRoster(generation: 1, token: 2, peers: peers),
                            deadline: .now + .seconds(20))
                        ranks.meet()
                        return mesh.worldSize
                    })
            }
        }
        while lists[1].refused == 0 { sched_yield() }
        lists[1].allow(keys[0].publicKey)
        for thread in threads { thread.join() }
        for result in ranks.results { #expect(try result.get() == 2) }
        withExtendedLifetime(authenticators) {}
    }

    @Test func `a key off the roster cannot take a rank's place`() throws {
        let context = try Context()
        let (mine, theirs, stranger) = (KeyPair.generate(), KeyPair.generate(), KeyPair.generate())
        let authenticator = try Authenticator(
            in: context, allowList: AllowList([mine.publicKey, theirs.publicKey, stranger.publicKey]))
        let listener = try MeshListener(at: "tcp://127.0.0.1:*", keys: mine, in: context)
        let others = try MeshListener(at: "tcp://127.0.0.1:*", keys: theirs, in: context)
        let roster = MeshRoster(
            generation: 1, token: 1,
            peers: [
                MeshPeer(endpoint: listener.endpoint, key: mine.publicKey),
                MeshPeer(endpoint: others.endpoint, key: theirs.publicKey),
            ])
        var options = SocketOptions()
        options.security = .client(stranger, server: mine.publicKey)
        let socket = try Socket(.dealer, in: context, options: options)
        try socket.connect(listener.endpoint)
        var hello = FrameHeader.data(from: 1, generation: 1, offset: 1)
        hello.kind = 0
        _ = try socket.send(FrameCodec.encode(hello, payloadBytes: 0))
        #expect(failureToForm(listener, roster) == .deadline(waitingFor: [1]))
        #expect(authenticator.allowList.refused == 0)
    }
}

/// What keeps rank 0 from forming a mesh within half a second.
private func failureToForm(_ listener: consuming MeshListener, _ roster: MeshRoster) -> MeshError? {
    do throws(MeshError) {
        _ = try listener.mesh(rank: 0, roster: roster, deadline: .now + .milliseconds(500))
        return nil
    } catch {
        return error
    }
}

/// Sends `frames` to every peer and checks the order of the replies.
func exchange(_ mesh: any Mesh, frames: Int) throws -> Bool {
    let peers = (0..<mesh.worldSize).filter { $0 != mesh.rank }
    for step in 1...frames {
        for peer in peers {
            try mesh.send(
                .data(from: mesh.rank, step: UInt64(step)), [UInt8(mesh.rank), UInt8(peer), UInt8(step)], to: peer)
        }
    }
    var next = Array(repeating: 1, count: mesh.worldSize)
    for _ in 0..<frames * peers.count {
        let (header, bytes) = try mesh.receive()
        let sender = Int(header.sender)
        guard header.step == UInt64(next[sender]), bytes == [UInt8(sender), UInt8(mesh.rank), UInt8(next[sender])]
        else { return false }
        next[sender] += 1
    }
    return true
}
