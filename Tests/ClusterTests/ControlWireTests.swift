import Foundation
import Testing
import Transport

@testable import Cluster

/// What others on the wire can and cannot do to a coordinator.
@Suite struct ControlWireTests {
    let context: Context

    init() throws { context = try Context() }

    @Test func `a call sent twice is executed once and answered alike twice`() async throws {
        try await withCoordinator { [context] coordinator in
            try await onThread {
                let peer = try Peer(of: coordinator, in: context)
                let call = try peer.call(1, addingTo: coordinator)
                peer.send(call.bytes)
                peer.send(call.bytes)
                let first = try #require(peer.next(.result))
                peer.send(call.bytes)
                let again = try #require(peer.next(.result))
                #expect(first.payload == Array("5".utf8))
                #expect(again.payload == first.payload && again.call == first.call)
            }
        }
    }

    @Test func `bytes that are not ours are refused and counted, and the rest goes on`() async throws {
        try await withCoordinator { [context] coordinator in
            try await onThread {
                let peer = try Peer(of: coordinator, in: context)
                var wrongVersion = Envelope(kind: .heartbeat, generation: 0, incarnation: 0, sender: "x").bytes
                wrongVersion[4] = 99
                let strangers: [[UInt8]] = [
                    [], [0], Array("GET / HTTP/1.1".utf8), Array(repeating: 0xFF, count: 10_000), wrongVersion,
                ]
                for bytes in strangers { peer.send(bytes) }
                let call = try peer.call(1, addingTo: coordinator)
                peer.send(call.bytes)
                #expect(peer.next(.result)?.payload == Array("5".utf8))
                #expect(coordinator.refused == strangers.count)
            }
        }
    }

    @Test func `random mutations of a call end no coordinator`() async throws {
        try await withCoordinator { [context] coordinator in
            try await onThread {
                let peer = try Peer(of: coordinator, in: context)
                let call = try peer.call(1, addingTo: coordinator)
                var generator = SeededGenerator(seed: 5)
                for number in 2..<2_000 {
                    var envelope = call
                    envelope.call = UInt64(number)
                    envelope.settledBelow = UInt64(number)
                    let position = Int.random(in: 0..<max(envelope.payload.count, 1), using: &generator)
                    switch number % 4 {
                    case 0: envelope.payload[position] = UInt8.random(in: 0...255, using: &generator)
                    case 1: envelope.payload.removeSubrange(position...)
                    case 2: envelope.target = String(envelope.target.shuffled(using: &generator))
                    default: envelope.target.removeLast(Int.random(in: 1...envelope.target.count, using: &generator))
                    }
                    peer.send(envelope.bytes)
                    _ = peer.next()
                }
                var last = try peer.call(3_000, addingTo: coordinator)
                last.settledBelow = 3_000
                peer.send(last.bytes)
                #expect(peer.next(.result, call: 3_000) != nil)
            }
        }
    }

    @Test func `a message of another run of the coordinator is refused by name`() async throws {
        try await withCoordinator { [context] coordinator in
            try await onThread {
                let peer = try Peer(of: coordinator, in: context)
                var call = try peer.call(1, addingTo: coordinator)
                call.incarnation = 8
                peer.send(call.bytes)
                let failure = try #require(peer.next(.failure))
                let error = Wire.decode(failure: failure.payload, known: ControlOptions().knownErrors) as? ClusterError
                #expect(error == .staleIncarnation(received: 8, current: 9))
            }
        }
    }

    @Test func `a process that falls silent is reported lost, one that speaks is not`() async throws {
        var options = ControlOptions()
        options.lossAfter = .seconds(1)
        try await withCoordinator(options) { coordinator in
            let worker = try ZeroMQActorSystem.worker(
                of: coordinator.endpoint, security: .plain, in: context, options: options)
            let peer = try Peer(of: coordinator, in: context)
            peer.send(Envelope(kind: .heartbeat, generation: 0, incarnation: 0, sender: peer.name).bytes)
            var lost: [String] = []
            for await event in coordinator.events {
                guard case .lost(let process, _) = event else { continue }
                lost.append(process)
                break
            }
            #expect(lost == [peer.name])
            #expect(peer.isOpen)
            await worker.shutDown()
        }
    }

    @Test func `a key taken off the list ends its holder's connection`() async throws {
        let (server, member) = (KeyPair.generate(), KeyPair.generate())
        let list = AllowList([member.publicKey])
        let authenticator = try Authenticator(in: context, allowList: list)
        var options = ControlOptions()
        options.allowList = list
        options.lossAfter = .milliseconds(600)
        options.callLimit = .seconds(60)
        try await withCoordinator(options, security: .server(server), at: "tcp://127.0.0.1:*") { coordinator in
            let worker = try ZeroMQActorSystem.worker(
                of: coordinator.endpoint, security: .client(member, server: server.publicKey), in: context,
                options: options)
            let tally = try Tally.resolve(id: ActorAddress(process: "coordinator", name: "tally"), using: worker)
            #expect(try await tally.add(1) == 1)
            list.remove(member.publicKey)
            #expect(await next(.lost(process: worker.process, generation: 0), in: coordinator.events))
            await #expect(throws: ClusterError.self) {
                try await ZeroMQActorSystem.within(.milliseconds(200)) { try await tally.add(1) }
            }
            await worker.shutDown()
        }
        withExtendedLifetime(authenticator) {}
    }

    @Test func `a worker learns which key is refused, and gets in once its own is on the list`() async throws {
        let (server, member) = (KeyPair.generate(), KeyPair.generate())
        let list = AllowList()
        let authenticator = try Authenticator(in: context, allowList: list)
        var options = ControlOptions()
        options.allowList = list
        options.callLimit = .seconds(60)
        try await withCoordinator(options, security: .server(server), at: "tcp://127.0.0.1:*") { coordinator in
            func worker(_ security: Security) throws -> ZeroMQActorSystem {
                try ZeroMQActorSystem.worker(
                    of: coordinator.endpoint, security: security, in: context, options: options)
            }
            let misled = try worker(.client(member, server: KeyPair.generate().publicKey))
            #expect(await next(.refused, in: misled.events))
            #expect(misled.contact == .refused(.otherKey))
            await misled.shutDown()
            let unknown = try worker(.client(member, server: server.publicKey))
            #expect(await next(.refused, in: unknown.events))
            #expect(unknown.contact == .refused(.ownKey))
            list.allow(member.publicKey)
            let tally = try Tally.resolve(id: ActorAddress(process: "coordinator", name: "tally"), using: unknown)
            #expect(try await tally.add(1) == 1)
            #expect(unknown.contact == .connected)
            await unknown.shutDown()
        }
        withExtendedLifetime(authenticator) {}
    }

    @Test func `a worker follows the coordinator into its next run`() async throws {
        try await withFolder { folder in
            let endpoint = "ipc://\(folder)/control"
            var options = ControlOptions()
            options.lossAfter = .milliseconds(600)
            options.callLimit = .seconds(60)
            let worker = try ZeroMQActorSystem.worker(of: endpoint, security: .plain, in: context, options: options)
            let tally = try Tally.resolve(id: ActorAddress(process: "coordinator", name: "tally"), using: worker)
            try await withCoordinator(options, at: endpoint) { _ async throws in
                #expect(try await tally.add(1) == 1)
                #expect(worker.incarnation == 9)
            }
            try await withCoordinator(options, at: endpoint, incarnation: 10) { _ async throws in
                #expect(await next(.coordinatorChanged(incarnation: 10), in: worker.events))
                #expect(try await tally.add(1) == 1)
            }
            await worker.shutDown()
        }
    }

    /// Both coordinators number their calls from 1: an answer to the first must not answer a call of the second.
    @Test func `a call of the coordinator before does not answer one of the coordinator after it`() async throws {
        try await withFolder { folder in
            let endpoint = "ipc://\(folder)/control"
            var options = ControlOptions()
            options.lossAfter = .milliseconds(600)
            options.callLimit = .seconds(60)
            let worker = try ZeroMQActorSystem.worker(of: endpoint, security: .plain, in: context, options: options)
            let own = worker.named("tally") { Tally(actorSystem: $0) }
            let serving = Task { await worker.run() }
            func call(_ amount: Int, from coordinator: ZeroMQActorSystem) async throws -> Task<Int, any Error> {
                #expect(await next(.found(process: worker.process), in: coordinator.events))
                let tally = try Tally.resolve(id: own.id, using: coordinator)
                let call = Task { try await tally.holdAndReturn(amount) }
                while try await own.waiting() < amount { await Task.yield() }
                return call
            }
            try await withCoordinator(options, at: endpoint) { coordinator in
                let call = try await call(1, from: coordinator)
                await coordinator.shutDown()
                await #expect(throws: ClusterError.self) { try await call.value }
            }
            try await withCoordinator(options, at: endpoint, incarnation: 10) { coordinator in
                let call = try await call(2, from: coordinator)
                try await own.releaseFirst()
                try await own.releaseFirst()
                #expect(try await call.value == 2)
            }
            serving.cancel()
            await worker.shutDown()
        }
    }

    /// Runs a coordinator of incarnation 9 with an actor named `tally`.
    private func withCoordinator(
        _ options: ControlOptions = ControlOptions(), security: Security = .plain,
        at endpoint: String = "tcp://127.0.0.1:*",
        incarnation: UInt64 = 9, _ body: (ZeroMQActorSystem) async throws -> Void
    ) async throws {
        let coordinator = try ZeroMQActorSystem.coordinator(
            at: endpoint, incarnation: incarnation, security: security, in: context, options: options)
        let tally = coordinator.named("tally") { Tally(actorSystem: $0) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await coordinator.run() }
            try await body(coordinator)
            await coordinator.shutDown()
        }
        withExtendedLifetime(tally) {}
    }
}

/// Runs `body`, which may block, on a thread that Swift's cooperative pool does not need.
func onThread(_ body: @escaping @Sendable () throws -> Void) async throws {
    try await withCheckedThrowingContinuation { continuation in
        _ = ServiceThread { continuation.resume(with: Result { try body() }) }
    }
}

/// A hand-made worker: a bare socket that speaks envelopes, and other things.
final class Peer {
    let name = "worker-by-hand"
    private let socket: Socket
    private let poller = Poller()
    private let monitor: SocketMonitor

    init(of coordinator: ZeroMQActorSystem, in context: Context) throws {
        socket = try Socket(.dealer, in: context)
        monitor = try SocketMonitor(socket, in: context)
        try socket.connect(coordinator.endpoint)
        poller.add(socket)
    }

    /// Adds 5 to the coordinator's tally.
    func call(_ number: UInt64, addingTo coordinator: ZeroMQActorSystem) throws -> Envelope {
        var payload: [UInt8] = []
        payload.append(integer: UInt32(1))
        payload += Array("5".utf8)
        return Envelope(
            kind: .call, generation: 0, incarnation: 0, call: number, settledBelow: number, sender: name,
            recipient: "tally",
            target: Self.add, payload: payload)
    }

    private static let add = "tally.add"

    func send(_ bytes: [UInt8]) { _ = try? socket.send(bytes) }

    /// The next envelope that is not a sign of life; of `kind` and `call` where given. Gives signs of life meanwhile.
    func next(_ kind: Envelope.Kind? = nil, call: UInt64? = nil) -> Envelope? {
        let deadline = ContinuousClock.now + .seconds(60)
        while deadline > .now {
            send(Envelope(kind: .heartbeat, generation: 0, incarnation: 0, sender: name).bytes)
            guard (try? poller.wait(until: .now + .milliseconds(200))) == true else { continue }
            guard let message = try? socket.receive(), let envelope = try? Envelope(message.copy()),
                envelope.kind != .heartbeat
            else { continue }
            if kind == nil || kind == envelope.kind, call == nil || call == envelope.call { return envelope }
        }
        return nil
    }

    /// Whether the connection is still open.
    var isOpen: Bool {
        while let event = try? monitor.next() {
            if case .disconnected = event { return false }
        }
        return true
    }
}
