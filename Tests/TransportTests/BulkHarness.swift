import Foundation
import Testing

@testable import Transport

/// Runs `body` for every rank on its own thread over bulk links, and returns the ranks' results.
///
/// - Parameters:
///   - encrypted: whether a rank has a certificate.
///   - roster: what each rank gets in place of the true roster.
func onBulkMeshes<Value: Sendable>(
    of size: Int, encrypted: @escaping @Sendable (Int) -> Bool, within limit: Duration = .seconds(20),
    roster change: @escaping @Sendable (Int, inout MeshRoster) -> Void = { _, _ in },
    before: @escaping @Sendable (Int, MeshRoster) throws -> Void = { _, _ in },
    refusals: RefusalCount = RefusalCount(),
    _ body: @escaping @Sendable (BulkMesh) throws -> Value
) throws -> [Result<Value, any Error>] {
    try onMixedMeshes(
        of: size, plain: [], encrypted: encrypted, within: limit, roster: change, before: before, refusals: refusals
    ) { try body(try #require($0 as? BulkMesh)) }
}

/// The same, where the ranks in `plain` take no bulk links, like the coordinator.
func onMixedMeshes<Value: Sendable>(
    of size: Int, plain: Set<Int>, encrypted: @escaping @Sendable (Int) -> Bool = { _ in false },
    within limit: Duration = .seconds(20),
    roster change: @escaping @Sendable (Int, inout MeshRoster) -> Void = { _, _ in },
    before: @escaping @Sendable (Int, MeshRoster) throws -> Void = { _, _ in },
    refusals: RefusalCount = RefusalCount(),
    _ body: @escaping @Sendable (any Mesh) throws -> Value
) throws -> [Result<Value, any Error>] {
    let context = try Context()
    let ranks = Ranks<Value>(size: size)
    let threads = (0..<size).map { rank in
        ServiceThread {
            ranks.finish(
                rank,
                Result {
                    let listener = try MeshListener(
                        at: "tcp://127.0.0.1:*", keys: nil, in: context, refusals: refusals)
                    let bulk =
                        plain.contains(rank)
                        ? nil
                        : try BulkListener(
                            address: "127.0.0.1", identity: encrypted(rank) ? TLSIdentity() : nil,
                            heartbeatTimeout: .seconds(3))
                    var own = MeshPeer(endpoint: listener.endpoint, key: nil)
                    own.bulk = bulk?.place
                    let text = String(decoding: try JSONEncoder().encode(own), as: UTF8.self)
                    let peers = try ranks.announce(rank, text).map {
                        try JSONDecoder().decode(MeshPeer.self, from: Data($0.utf8))
                    }
                    var roster = MeshRoster(generation: 5, token: 77, peers: peers)
                    try before(rank, roster)
                    change(rank, &roster)
                    let mesh = try listener.mesh(rank: rank, roster: roster, bulk: bulk, deadline: .now + limit)
                    let value = try body(mesh)
                    ranks.meet()
                    return value
                })
        }
    }
    for thread in threads { thread.join() }
    return ranks.results
}

extension MeshPeer {
    /// The port of its bulk links.
    var bulkPort: UInt16? { bulk.flatMap { UInt16($0.endpoint.split(separator: ":").last ?? "") } }
}

extension Result where Failure == any Error {
    var error: (any Error)? { if case .failure(let error) = self { error } else { nil } }
}
