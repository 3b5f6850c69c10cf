import Foundation
import Testing

@testable import Transport

/// Every check of a key, a token or a certificate, with wrong ones that differ in as little as possible.
@Suite struct WrongSecretsTests {
    private let key = KeyPair.generate().publicKey
    private let token: UInt64 = 0x0123_4567_89AB_CDEF

    /// All texts that differ in one character.
    private func neighbours(of text: String) -> [String] {
        let characters = Array(text.utf8)
        return characters.indices.map { place in
            var changed = characters
            changed[place] = changed[place] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
            return String(decoding: changed, as: UTF8.self)
        }
    }

    @Test func `a key that differs anywhere is not on the list`() throws {
        let list = AllowList([key])
        #expect(list.admits(key) && list.contains(key))
        for text in neighbours(of: key.text) {
            let other = try #require(PublicKey(text))
            #expect(!list.admits(other) && !list.contains(other))
        }
        #expect(list.refused == 40)
        let (shorter, spaced) = (key.text.dropLast(), " " + key.text.dropFirst())
        for wrong in ["", String(shorter), key.text + "0", spaced, shorter + "\u{301}", key.text + "\u{301}"] {
            #expect(PublicKey(wrong) == nil)
        }
    }

    /// Whether a mesh lets in a connection whose first frame is `hello`. Rank 1 has no key, as without encryption.
    private func isLetIn(_ hello: FrameHeader, key: PublicKey? = nil, payload: [UInt8] = []) -> Bool {
        let peers = [nil, key].map { MeshPeer(endpoint: "", key: $0) }
        var admission = LinkAdmission(roster: MeshRoster(generation: 5, token: token, peers: peers), rank: 0)
        let connection = Message(copying: [1, 2, 3, 4, 5])
        let verdict = unsafe admission.judge(Message(hello, payload: payload.span.bytes), from: connection)
        guard case .hello = verdict else {
            // Nor is anything else of this connection taken.
            let next = unsafe admission.judge(Message(.data(from: 1), payload: payload.span.bytes), from: connection)
            if case .refused = next {} else { Issue.record("a frame of a refused connection was taken") }
            return false
        }
        return admission.hasAdmitted(1)
    }

    private func hello(token: UInt64, generation: UInt32 = 5, sender: UInt16 = 1, kind: UInt8 = 0) -> FrameHeader {
        FrameHeader(
            kind: kind, sender: sender, generation: generation, step: 0, bucket: 0, offset: token, count: 0)
    }

    @Test func `a token or generation that differs in one bit is refused`() {
        #expect(isLetIn(hello(token: token)))
        for bit in 0..<64 { #expect(!isLetIn(hello(token: token ^ 1 << bit)), "bit \(bit)") }
        for bit in 0..<32 { #expect(!isLetIn(hello(token: token, generation: 5 ^ 1 << bit)), "bit \(bit)") }
        for wrong in [0, .max, token + 1, token << 32, token >> 32] as [UInt64] {
            #expect(!isLetIn(hello(token: wrong)))
        }
        for sender in [0, 2, .max] as [UInt16] { #expect(!isLetIn(hello(token: token, sender: sender))) }
        for bit in 0..<8 { #expect(!isLetIn(hello(token: token, kind: 1 << bit))) }
    }

    @Test func `where ranks have keys a connection without one does not speak for them`() {
        #expect(!isLetIn(hello(token: token), key: key))
    }

    @Test func `a certificate whose hash differs in one bit is refused`() throws {
        let (server, client) = (try TLSIdentity(), try TLSIdentity())
        #expect(try shake(server, client, accepted: [client.digest]) == 0)
        #expect(try shake(server, client, accepted: [server.digest, client.digest]) == 1)
        #expect(try shake(server, client, accepted: []) == nil)
        for bit in 0..<256 {
            var bytes = client.digest.bytes
            bytes[bit / 8] ^= 1 << (bit % 8)
            let wrong = try #require(CertificateDigest(bytes))
            #expect(try shake(server, client, accepted: [wrong]) == nil, "bit \(bit)")
        }
    }

    /// A handshake over a pair of sockets.
    /// - Parameter accepted: certificates that the server accepts; the client accepts the server's.
    /// - Returns: the place of the client's certificate among them; nil if the server refuses it.
    private func shake(_ server: TLSIdentity, _ client: TLSIdentity, accepted: [CertificateDigest]) throws -> Int? {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        try #require(unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0)
        let first = try #require(BulkLink(ends[0], identity: server, isServer: true, accepted: accepted))
        let second = try #require(BulkLink(ends[1], identity: client, isServer: false, accepted: [server.digest]))
        // Both are on this thread: each turn has all that the other end sent.
        for _ in 0..<10 {
            _ = second.handshake()
            switch first.handshake() {
            case .done: return first.peer
            case .blocked: continue
            case .refused, .ended:
                #expect(first.peer == nil)
                return nil
            }
        }
        Issue.record("the handshake does not end")
        return nil
    }

    @Test func `only hexadecimal digits are a certificate's hash`() throws {
        let text = String(repeating: "0f", count: 32)
        func read(_ text: String) throws -> CertificateDigest {
            try JSONDecoder().decode(CertificateDigest.self, from: JSONEncoder().encode(text))
        }
        #expect(try read(text).bytes == [UInt8](repeating: 15, count: 32))
        for wrong in ["+f", "-0", " f", "f ", "0x", "\u{FF10}"] {
            #expect(throws: DecodingError.self) { try read(wrong + text.dropFirst(wrong.utf8.count)) }
        }
        for wrong in ["", String(text.dropLast()), String(text.dropLast(2)), text + "0", text + "00"] {
            #expect(throws: DecodingError.self) { try read(wrong) }
        }
    }

    @Test func `the two halves of a key belong together`() throws {
        let rings = KeyRing.generate(workers: 2)
        let own = rings.workers[0]
        #expect(KeyRing(text: own.text) != nil)
        let others = own.text.replacing(own.own.publicKey.text, with: rings.workers[1].own.publicKey.text)
        #expect(KeyRing(text: others) == nil)
        for text in neighbours(of: own.own.publicKey.text) {
            #expect(KeyRing(text: own.text.replacing(own.own.publicKey.text, with: text)) == nil)
        }
    }
}
