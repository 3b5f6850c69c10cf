import Testing

@testable import Transport

@Suite struct FrameCodecTests {
    static let header = FrameHeader(
        kind: 3, sender: 0xABCD, generation: 0x0102_0304, step: .max - 1, bucket: 7, offset: 1 << 40,
        count: 0x1122_3344_5566_7788)

    @Test func `a decoded frame has the header that was encoded`() throws {
        for payload in [0, 1, 1_000] {
            let frame = FrameCodec.encode(Self.header, payloadBytes: payload) + [UInt8](repeating: 9, count: payload)
            #expect(try decode(frame) == Self.header)
        }
    }

    @Test func `every truncation of a frame is refused`() {
        let frame = FrameCodec.encode(Self.header, payloadBytes: 16) + [UInt8](repeating: 9, count: 16)
        for length in 0..<frame.count {
            #expect(throws: FrameCodec.Refusal.self) { try decode(Array(frame.prefix(length))) }
        }
    }

    @Test func `a frame longer than it says is refused`() {
        let frame = FrameCodec.encode(Self.header, payloadBytes: 16) + [UInt8](repeating: 9, count: 17)
        #expect(throws: FrameCodec.Refusal.payload(announced: 16, present: 17)) { try decode(frame) }
    }

    @Test func `another magic or version is refused by name`() {
        var frame = FrameCodec.encode(Self.header, payloadBytes: 0)
        frame[4] = 9
        #expect(throws: FrameCodec.Refusal.version(9)) { try decode(frame) }
        frame[0] = 0
        #expect(throws: FrameCodec.Refusal.notAFrame) { try decode(frame) }
    }

    @Test func `a header fills a cache line with what ZeroMQ adds, and ends in zeros`() {
        let (partBefore, payloadBefore) = (2, 9)  // a short part's flags and size, a long one's
        #expect((partBefore + FrameCodec.headerBytes + payloadBefore) % 64 == 0)
        var frame = FrameCodec.encode(Self.header, payloadBytes: 0)
        frame[frame.count - 1] = 1
        #expect(throws: FrameCodec.Refusal.notAFrame) { try decode(frame) }
    }

    @Test func `mutated frames are decoded to exactly their bytes or refused`() {
        var generator = SeededGenerator(seed: 1)
        var accepted = 0
        for _ in 0..<100_000 {
            let payload = Int.random(in: 0...24, using: &generator)
            var frame = FrameCodec.encode(Self.header, payloadBytes: payload) + [UInt8](repeating: 0, count: payload)
            mutate(&frame, using: &generator)
            guard let header = try? decode(frame) else { continue }
            accepted += 1
            let again = FrameCodec.encode(header, payloadBytes: frame.count - FrameCodec.headerBytes)
            #expect(again == Array(frame.prefix(FrameCodec.headerBytes)))
        }
        #expect(accepted > 1_000)
    }

    private func decode(_ bytes: [UInt8]) throws -> FrameHeader { try unsafe FrameCodec.decode(bytes.span.bytes) }
}

/// Flips, cuts, repeats and overwrites bytes, as a seed decides.
func mutate(_ bytes: inout [UInt8], using generator: inout SeededGenerator) {
    for _ in 0..<Int.random(in: 1...4, using: &generator) {
        guard !bytes.isEmpty else { return bytes.append(UInt8.random(in: 0...255, using: &generator)) }
        let index = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: bytes.removeSubrange(index...)
        case 2: bytes.insert(contentsOf: bytes[index...].prefix(16), at: index)
        case 3: bytes[index] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &generator)!
        default: for position in index..<min(index + 8, bytes.count) { bytes[position] = 0xFF }
        }
    }
}
