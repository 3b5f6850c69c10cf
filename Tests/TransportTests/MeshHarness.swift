import Foundation
import Synchronization
import Testing

@testable import Transport

/// Runs `body` for every rank on its own thread over real links, and returns the ranks' results.
///
/// - Parameter encrypted: CURVE with one key a rank, checked by one authenticator.
func onMeshes<Value: Sendable>(
    of size: Int, at endpoint: (Int) -> String, encrypted: Bool = false,
    _ body: @escaping @Sendable (ZeroMQMesh) throws -> Value
) throws -> [Result<Value, any Error>] {
    let context = try Context()
    let keys: [KeyPair?] = (0..<size).map { _ in encrypted ? KeyPair.generate() : nil }
    let authenticator =
        encrypted ? try Authenticator(in: context, allowList: AllowList(Set(keys.compactMap(\.?.publicKey)))) : nil
    defer { withExtendedLifetime(authenticator) {} }
    let ranks = Ranks<Value>(size: size)
    let threads = (0..<size).map { rank in
        let place = endpoint(rank)
        let key = keys[rank]
        return ServiceThread {
            ranks.finish(
                rank,
                Result {
                    let listener = try MeshListener(at: place, keys: key, in: context)
                    let endpoints = ranks.announce(rank, listener.endpoint)
                    let peers = zip(endpoints, keys).map { MeshPeer(endpoint: $0, key: $1?.publicKey) }
                    let roster = MeshRoster(generation: 5, token: 77, peers: peers)
                    let mesh = try listener.mesh(rank: rank, roster: roster, deadline: .now + .seconds(20))
                    let value = try body(mesh)
                    ranks.meet()
                    return value
                })
        }
    }
    for thread in threads { thread.join() }
    return ranks.results
}

/// Where the threads of a test meet: they exchange endpoints, and none closes its mesh before all are done.
final class Ranks<Value: Sendable>: Sendable {
    private struct State {
        var endpoints: [String?]
        var results: [Result<Value, any Error>?]
        var arrived = 0
    }
    private let state: Mutex<State>
    private let condition = NSCondition()

    init(size: Int) {
        state = Mutex(State(endpoints: Array(repeating: nil, count: size), results: Array(repeating: nil, count: size)))
    }

    func announce(_ rank: Int, _ endpoint: String) -> [String] {
        state.withLock { $0.endpoints[rank] = endpoint }
        wait { state in !state.endpoints.contains(nil) }
        return state.withLock { $0.endpoints.map { $0! } }
    }

    /// Waits until every rank is here or has failed.
    func meet() {
        state.withLock { $0.arrived += 1 }
        wait { state in
            state.arrived + state.results.count { if case .failure? = $0 { true } else { false } }
                >= state.endpoints.count
        }
    }

    func finish(_ rank: Int, _ result: Result<Value, any Error>) {
        state.withLock { $0.results[rank] = result }
        condition.lock()
        condition.broadcast()
        condition.unlock()
    }

    var results: [Result<Value, any Error>] { state.withLock { $0.results.map { $0! } } }

    private func wait(_ holds: (State) -> Bool) {
        condition.lock()
        condition.broadcast()
        while !state.withLock({ holds($0) }) { condition.wait() }
        condition.unlock()
    }
}

extension FrameHeader {
    static func data(from sender: Int, generation: UInt32 = 5, step: UInt64 = 1, offset: UInt64 = 0) -> FrameHeader {
        FrameHeader(
            kind: 1, sender: UInt16(sender), generation: generation, step: step, bucket: 0, offset: offset, count: 0)
    }
}

extension Mesh {
    func send(_ header: FrameHeader, _ bytes: [UInt8], to peer: Int, within limit: Duration = .seconds(20))
        throws(MeshError)
    {
        try unsafe send(header, payload: bytes.span.bytes, to: peer, deadline: .now + limit)
    }

    func receive(within limit: Duration = .seconds(20)) throws(MeshError) -> (header: FrameHeader, bytes: [UInt8]) {
        let frame = try receive(deadline: .now + limit)
        return (frame.header, frame.withPayload { payload in unsafe payload.withUnsafeBytes { unsafe Array($0) } })
    }
}
