import Transport

@testable import Coordination

/// The data links of all simulated processes.
final class SimulatedDataNetwork: @unchecked Sendable {
    let simulation: Simulation
    private var worlds: [UInt64: World] = [:]
    /// Directions that carry nothing for now, with how many faults keep them so: `from>to`.
    private var deaf: [String: Int] = [:]
    private(set) var overtaken = 0

    init(_ simulation: Simulation) { self.simulation = simulation }

    /// The links of one generation.
    final class World {
        let members: [String]
        let generation: UInt32
        var bells: [SimulatedBell?]
        var closed: Set<Int> = []
        var broken: Set<[Int]> = []
        /// By receiver, then sender.
        var frames: [[[Arrived]]]
        var arrivals = 0

        init(_ roster: MeshRoster) {
            members = roster.peers.map(\.endpoint)
            generation = roster.generation
            bells = members.map { _ in nil }
            frames = members.map { _ in Array(repeating: [], count: roster.peers.count) }
        }

        func isBroken(_ one: Int, _ other: Int) -> Bool { broken.contains([min(one, other), max(one, other)]) }
        func ringAll() { for bell in bells { bell?.ring() } }
    }

    struct Arrived: ReceivedFrame {
        let header: FrameHeader
        let bytes: [UInt8]
        let number: Int

        func withPayload<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result
        { try unsafe body(bytes.span.bytes) }
    }

    func world(_ roster: MeshRoster) -> World {
        if let known = worlds[roster.token] { return known }
        let made = World(roster)
        worlds[roster.token] = made
        return made
    }

    func ringAll() { for token in worlds.keys.sorted() { worlds[token]?.ringAll() } }

    func isDeaf(_ from: String, _ to: String) -> Bool { (deaf["\(from)>\(to)"] ?? 0) > 0 }

    /// Another sender's frame that was sent before this one has not been read yet.
    func countOvertaking() { overtaken += 1 }

    // MARK: Faults

    /// The link between two processes drops, if they have one now.
    /// - Returns: whether they had one.
    func drop(_ one: String, _ other: String) -> Bool {
        guard let world = worlds.values.max(by: { $0.generation < $1.generation }),
            let first = world.members.firstIndex(of: one), let second = world.members.firstIndex(of: other),
            world.bells[first] != nil, world.bells[second] != nil, !world.closed.contains(first),
            !world.closed.contains(second)
        else { return false }
        world.broken.insert([min(first, second), max(first, second)])
        world.frames[first][second] = []
        world.frames[second][first] = []
        world.ringAll()
        return true
    }

    /// Frames from one process to another wait until the direction is alive again.
    func deafen(_ from: String, _ to: String, for pause: Duration) {
        deaf["\(from)>\(to)", default: 0] += 1
        simulation.after(pause) { [self] in
            deaf["\(from)>\(to)", default: 1] -= 1
            ringAll()
        }
    }

    func died(_ process: String) {
        for token in worlds.keys.sorted() {
            guard let world = worlds[token] else { continue }
            for rank in world.members.indices where world.members[rank] == process { world.closed.insert(rank) }
            world.ringAll()
        }
    }

    /// Forgets worlds that no process is in.
    func left(_ world: World) {
        if let token = worlds.first(where: { $0.value === world })?.key,
            world.bells.indices.allSatisfy({ world.bells[$0] == nil || world.closed.contains($0) }),
            world.closed.count == world.members.count
        {
            worlds[token] = nil
        }
    }
}

/// A simulated process's links.
final class SimulatedLinks: GenerationLinks {
    private let process: SimulatedProcess
    private let network: SimulatedDataNetwork
    private let bell: SimulatedBell
    private var opened: (generation: UInt32, canceller: MeshCanceller)?

    init(_ process: SimulatedProcess, _ network: SimulatedDataNetwork) {
        (self.process, self.network) = (process, network)
        bell = SimulatedBell(process.simulation)
    }

    func open(generation: UInt32) throws -> (peer: MeshPeer, canceller: MeshCanceller) {
        let canceller = try MeshCanceller { [bell] in bell.ring() }
        opened = (generation, canceller)
        return (MeshPeer(endpoint: process.name, key: nil), canceller)
    }

    func canceller(of generation: UInt32) -> MeshCanceller? {
        opened?.generation == generation ? opened?.canceller : nil
    }

    func close() { opened = nil }

    func mesh(rank: Int, _ roster: MeshRoster, early: Int, within limit: Duration) throws(MeshError) -> any Mesh {
        guard let canceller = opened?.canceller else { preconditionFailure("a mesh without an endpoint") }
        opened = nil
        let world = network.world(roster)
        world.bells[rank] = bell
        let mesh = SimulatedMesh(process, network, world, rank: rank, canceller, bell)
        world.ringAll()
        try mesh.form(deadline: process.now + limit)
        return mesh
    }
}

/// Frames of one sender keep their order; which sender's comes next is chance.
final class SimulatedMesh: Mesh {
    let rank: Int
    var worldSize: Int { world.members.count }
    private let process: SimulatedProcess
    private let network: SimulatedDataNetwork
    private let world: SimulatedDataNetwork.World
    private let canceller: MeshCanceller
    private let bell: SimulatedBell
    private static let capacity = 32

    fileprivate init(
        _ process: SimulatedProcess, _ network: SimulatedDataNetwork, _ world: SimulatedDataNetwork.World, rank: Int,
        _ canceller: MeshCanceller, _ bell: SimulatedBell
    ) {
        (self.process, self.network, self.world, self.rank) = (process, network, world, rank)
        (self.canceller, self.bell) = (canceller, bell)
    }

    deinit {
        world.closed.insert(rank)
        world.ringAll()
        network.left(world)
    }

    private var peers: [Int] { world.members.indices.filter { $0 != rank } }

    fileprivate func form(deadline: ContinuousClock.Instant) throws(MeshError) {
        func missing() -> [Int] {
            peers.filter { peer in
                world.bells[peer] == nil || world.isBroken(rank, peer)
                    || network.isDeaf(world.members[peer], process.name)
                    || network.isDeaf(process.name, world.members[peer])
            }
        }
        try attempt(deadline, waitingFor: missing) { () throws(MeshError) -> Bool? in missing().isEmpty ? true : nil }
    }

    /// Repeats `body` at every change until it has a result.
    @discardableResult
    private func attempt<Value>(
        _ deadline: ContinuousClock.Instant, waitingFor: () -> [Int], _ body: () throws(MeshError) -> Value?
    ) throws(MeshError) -> Value {
        while true {
            if canceller.isCancelled || process.isDead { throw .cancelled }
            if let value = try body() { return value }
            guard process.now < deadline else { throw .deadline(waitingFor: waitingFor()) }
            process.waitsInGeneration = world.generation
            bell.wait(until: deadline, in: process)
            process.waitsInGeneration = nil
        }
    }

    func send(_ header: FrameHeader, payload: RawSpan, to peer: Int, deadline: ContinuousClock.Instant)
        throws(MeshError)
    {
        let bytes = unsafe payload.withUnsafeBytes { unsafe Array($0) }
        let (world, rank) = (world, rank)
        try attempt(deadline, waitingFor: { [peer] }) { () throws(MeshError) -> Bool? in
            if world.isBroken(rank, peer) || world.closed.contains(peer) { throw .lost(rank: peer) }
            guard world.frames[peer][rank].count < Self.capacity else { return nil }
            world.arrivals += 1
            world.frames[peer][rank].append(.init(header: header, bytes: bytes, number: world.arrivals))
            world.bells[peer]?.ring()
            return true
        }
    }

    func receive(deadline: ContinuousClock.Instant) throws(MeshError) -> any ReceivedFrame {
        let (world, rank, network, name) = (world, rank, network, process.name)
        let simulation = process.simulation
        return try attempt(deadline, waitingFor: { [] }) { () throws(MeshError) -> SimulatedDataNetwork.Arrived? in
            let senders = peers.filter {
                !world.frames[rank][$0].isEmpty && !network.isDeaf(world.members[$0], name)
            }
            guard !senders.isEmpty else {
                if let lost = peers.first(where: { world.isBroken(rank, $0) || world.closed.contains($0) }) {
                    throw .lost(rank: lost)
                }
                return nil
            }
            let sender = senders[simulation.number(0...(senders.count - 1))]
            let frame = world.frames[rank][sender].removeFirst()
            if senders.contains(where: { $0 != sender && world.frames[rank][$0][0].number < frame.number }) {
                network.countOvertaking()
            }
            // The sender may have waited for room.
            world.bells[sender]?.ring()
            return frame
        }
    }
}
