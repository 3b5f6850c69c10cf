/// The bytes of a data-plane frame: 53 bytes of header, little-endian, then the payload, which may be a separate
/// message part.
///
///     0  magic "APUS"     4  version       5  kind         6  sender
///     8  generation      12  bucket       16  step        24  offset
///    32  count           40  payload's byte count                48  zero (5 bytes)
///
/// With ZeroMQ's framing of a header and of a separate payload that makes 64 bytes, so that a payload begins in the
/// stream at a cache line, as it does in memory. AMD's Zen 4 copies a page at 3 GB/s instead of 20 if source and target
/// are misaligned, and the kernel makes such copies.
package enum FrameCodec {
    package static let headerBytes = 53
    package static let version: UInt8 = 3
    private static let fieldBytes = 48
    private static let magic: UInt32 = 0x5355_5041

    /// Why some bytes are not a frame.
    package enum Refusal: Error, Equatable, Sendable {
        case tooShort(byteCount: Int)
        case notAFrame
        case version(UInt8)
        case payload(announced: UInt64, present: Int)
    }

    /// The header's bytes for a payload of `payloadBytes`.
    package static func encode(_ header: FrameHeader, payloadBytes: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(headerBytes)
        append(magic, to: &bytes)
        append(version, to: &bytes)
        append(header.kind, to: &bytes)
        append(header.sender, to: &bytes)
        append(header.generation, to: &bytes)
        append(header.bucket, to: &bytes)
        append(header.step, to: &bytes)
        append(header.offset, to: &bytes)
        append(header.count, to: &bytes)
        append(UInt64(payloadBytes), to: &bytes)
        for _ in fieldBytes..<headerBytes { bytes.append(0) }
        return bytes
    }

    /// Reads the header of `frame`; the payload is what follows ``headerBytes``, or a separate part of `part` bytes.
    package static func decode(_ frame: RawSpan, part: Int? = nil) throws(Refusal) -> FrameHeader {
        guard frame.byteCount >= headerBytes else { throw .tooShort(byteCount: frame.byteCount) }
        guard load(frame, 0, UInt32.self) == magic else { throw .notAFrame }
        guard load(frame, 4, UInt8.self) == version else { throw .version(load(frame, 4, UInt8.self)) }
        for place in fieldBytes..<headerBytes where load(frame, place, UInt8.self) != 0 { throw .notAFrame }
        let announced = load(frame, 40, UInt64.self)
        let present = frame.byteCount - headerBytes + (part ?? 0)
        guard announced == UInt64(present), part == nil || frame.byteCount == headerBytes else {
            throw .payload(announced: announced, present: present)
        }
        return FrameHeader(
            kind: load(frame, 5, UInt8.self), sender: load(frame, 6, UInt16.self),
            generation: load(frame, 8, UInt32.self),
            step: load(frame, 16, UInt64.self), bucket: load(frame, 12, UInt32.self),
            offset: load(frame, 24, UInt64.self),
            count: load(frame, 32, UInt64.self))
    }

    /// The header's bytes for a stream: ``FrameStream/headBytes``.
    package static func encode(streamed header: FrameHeader, payloadBytes: Int) -> [UInt8] {
        encode(header, payloadBytes: payloadBytes)
            + [UInt8](repeating: 0, count: FrameStream.headBytes - headerBytes)
    }

    /// Reads a header that a payload of at most `limit` bytes follows in a stream.
    package static func decode(streamed head: RawSpan, limit: Int) throws(Refusal) -> (FrameHeader, payloadBytes: Int) {
        guard head.byteCount == FrameStream.headBytes else { throw .tooShort(byteCount: head.byteCount) }
        let announced = load(head, 40, UInt64.self)
        let header = try decode(head.extracting(first: headerBytes), part: Int(clamping: announced))
        guard announced <= UInt64(limit) else { throw .payload(announced: announced, present: limit) }
        for place in headerBytes..<FrameStream.headBytes where load(head, place, UInt8.self) != 0 { throw .notAFrame }
        return (header, Int(announced))
    }

    private static func append<Value: FixedWidthInteger>(_ value: Value, to bytes: inout [UInt8]) {
        for shift in stride(from: 0, to: Value.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// The offset is a constant within ``headerBytes``, which `decode` has checked; `RawSpan` checks it again.
    private static func load<Value: FixedWidthInteger & BitwiseCopyable>(
        _ frame: RawSpan, _ offset: Int, _ type: Value.Type
    ) -> Value {
        Value(littleEndian: unsafe frame.unsafeLoadUnaligned(fromByteOffset: offset, as: type))
    }
}
