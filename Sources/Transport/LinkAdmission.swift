/// Decides which connection speaks for which rank, and which frames a mesh accepts.
///
/// A connection's first frame is its hello: it names the rank and contains the generation's token; the key, where links
/// are encrypted, must be the one that the roster gives that rank. The first connection to do so speaks for the rank.
package struct LinkAdmission {
    /// What becomes of a message: a frame to pass on, a hello that was for this class only, or nothing.
    package enum Verdict {
        case frame(FrameHeader)
        case hello
        case refused
    }

    /// The kind of a hello; the frames of an exchange use others.
    package static let helloKind: UInt8 = 0

    private let roster: MeshRoster
    private let rank: Int
    private var ranks: [[UInt8]: Int] = [:]
    private var admitted: Set<Int> = []

    package init(roster: MeshRoster, rank: Int) {
        self.roster = roster
        self.rank = rank
    }

    /// This rank's first frame on each link.
    var hello: FrameHeader {
        FrameHeader(
            kind: Self.helloKind, sender: UInt16(rank), generation: roster.generation, step: 0, bucket: 0,
            offset: roster.token, count: 0)
    }

    package func hasAdmitted(_ peer: Int) -> Bool { admitted.contains(peer) }

    /// - Parameter part: bytes of the payload if it is a separate part.
    package mutating func judge(_ message: borrowing Message, part: Int? = nil, from connection: borrowing Message)
        -> Verdict
    {
        guard let header = message.withBytes({ try? FrameCodec.decode($0, part: part) }),
            header.generation == roster.generation
        else { return .refused }
        let sender = Int(header.sender)
        if header.kind == Self.helloKind {
            return part == nil && admit(header, sender, key: message.senderKey, connection: connection.copy())
                ? .hello : .refused
        }
        return ranks[connection.copy()] == sender ? .frame(header) : .refused
    }

    private mutating func admit(_ hello: FrameHeader, _ sender: Int, key: PublicKey?, connection: [UInt8]) -> Bool {
        guard hello.offset == roster.token, sender != rank, roster.peers.indices.contains(sender) else { return false }
        guard key == roster.peers[sender].key, ranks[connection] == nil, admitted.insert(sender).inserted else {
            return false
        }
        ranks[connection] = sender
        return true
    }
}
