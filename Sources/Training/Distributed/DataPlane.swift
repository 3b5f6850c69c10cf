internal import Foundation
internal import Synchronization
internal import Transport

/// Limits of the data plane.
enum DataPlane {
    /// Time in which a generation's links, state and memory must stand.
    static let formingTime = Duration.seconds(60)
    /// Time without a frame after which an exchange is given up; a lost process is noticed much earlier.
    static let exchangeTime = Duration.seconds(300)
}

/// Where a process opens its data links.
struct MeshPlace: Sendable {
    enum Kind: Sendable {
        /// Sockets in a private folder of this machine.
        case folder(String)
        /// Any free TCP port; others reach it at this address.
        case address(String)
    }

    let kind: Kind
    let keys: KeyPair?

    func endpoint(generation: UInt32) -> String {
        switch kind {
        case .folder(let folder): "ipc://\(folder)/data-\(getpid())-\(generation)"
        case .address: "tcp://*:*"
        }
    }

    /// The endpoint as other hosts write it.
    func reachable(_ endpoint: String) -> String {
        guard case .address(let address) = kind, let port = endpoint.split(separator: ":").last else { return endpoint }
        return "tcp://\(address):\(port)"
    }
}

/// Results that several threads fill in.
final class ChunkScores: Sendable {
    private let scores: Mutex<[ScoredChunk?]>

    init(count: Int) { scores = Mutex([ScoredChunk?](repeating: nil, count: count)) }

    func set(_ place: Int, _ score: ScoredChunk) { scores.withLock { $0[place] = score } }

    var all: [ScoredChunk] { scores.withLock { $0.compactMap { $0 } } }
}
