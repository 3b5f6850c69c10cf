import Testing

@testable import Transport

@Suite struct FrameStreamTests {
    private static func header(_ step: UInt64) -> FrameHeader {
        FrameHeader(kind: 18, sender: 3, generation: 5, step: step, bucket: 2, offset: 1 << 40, count: 9)
    }

    private static func bytes(_ step: UInt64, _ payload: [UInt8]) -> [UInt8] {
        FrameCodec.encode(streamed: header(step), payloadBytes: payload.count) + payload
    }

    /// The frames of a stream that comes `step` bytes at a time.
    private func frames(of bytes: [UInt8], atMost step: Int, limit: Int = FrameStream.longestPayload) throws -> [(
        header: FrameHeader, payload: [UInt8]
    )] {
        var (stream, rest, found) = (FrameStream(), bytes[...], [(header: FrameHeader, payload: [UInt8])]())
        while true {
            let frame = try unsafe stream.next(limit: limit) { memory in
                let part = rest.prefix(min(step, memory.count))
                rest = rest.dropFirst(part.count)
                unsafe memory.copyBytes(from: part)
                return part.count
            }
            guard let frame else { return found }
            found.append(
                (frame.header, frame.withPayload { payload in unsafe payload.withUnsafeBytes { unsafe Array($0) } }))
        }
    }

    @Test(arguments: [1, 7, 64, 65, 1 << 20])
    func `a stream is cut into its frames however it comes`(step: Int) throws {
        let payloads: [[UInt8]] = [[], [1], [UInt8](repeating: 2, count: 300), [UInt8](repeating: 3, count: 300_000)]
        let bytes = payloads.enumerated().flatMap { Self.bytes(UInt64($0), $1) }
        let found = try frames(of: bytes, atMost: step)
        #expect(found.map(\.payload) == payloads)
        #expect(found.map(\.header) == (0..<4).map { Self.header($0) })
    }

    @Test func `a payload begins at a cache line of the stream`() { #expect(FrameStream.headBytes % 64 == 0) }

    @Test func `a payload longer than the limit is refused by its header alone`() {
        let head = FrameCodec.encode(streamed: Self.header(1), payloadBytes: 1_000)
        #expect(throws: FrameCodec.Refusal.payload(announced: 1_000, present: 999)) {
            try frames(of: head, atMost: 64, limit: 999)
        }
        let huge = FrameCodec.encode(streamed: Self.header(1), payloadBytes: .max)
        #expect(throws: FrameCodec.Refusal.self) { try frames(of: huge, atMost: 64) }
    }

    @Test func `bytes after a header that are not zero are refused`() {
        for place in FrameCodec.headerBytes..<FrameStream.headBytes {
            var bytes = Self.bytes(1, [4])
            bytes[place] = 1
            #expect(throws: FrameCodec.Refusal.notAFrame) { try frames(of: bytes, atMost: 64) }
        }
    }
}
