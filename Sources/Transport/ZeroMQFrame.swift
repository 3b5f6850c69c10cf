/// A frame as libzmq received it; the payload is not copied.
final class ZeroMQFrame: SizedFrame {
    let header: FrameHeader
    /// The whole frame, or only its payload.
    private let message: Message
    private let payloadStart: Int

    init(header: FrameHeader, message: consuming Message, isPayload: Bool = false) {
        self.header = header
        self.message = message
        payloadStart = isPayload ? 0 : FrameCodec.headerBytes
    }

    var byteCount: Int { message.byteCount }

    func withPayload<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        try message.withBytes { (bytes) throws(Failure) in try body(bytes.extracting(droppingFirst: payloadStart)) }
    }
}

/// A frame whose size is known without its payload.
protocol SizedFrame: ReceivedFrame {
    var byteCount: Int { get }
}

/// Frames that arrived while their rank waited to send, or while its links formed.
///
/// Two ranks that both send more than their queues hold would otherwise deadlock. Beyond the limit, frames
/// stay in the links' queues, which are bounded, too.
struct FrameInbox<Frame: SizedFrame> {
    static var byteLimit: Int { 64 << 20 }
    /// What a frame takes in addition to its bytes, at most.
    private static var frameBytes: Int { 256 }
    /// Bytes that may be here beyond the limit.
    private let more: Int
    /// Oldest first from `taken` on; earlier ones were handed out.
    private var frames: [Frame?] = []
    private var taken = 0
    private var bytes = 0

    init(more: Int = 0) { self.more = more }

    var hasRoom: Bool { bytes < Self.byteLimit + more }

    mutating func append(_ frame: Frame) {
        bytes += frame.byteCount + Self.frameBytes
        frames.append(frame)
    }

    mutating func popFirst() -> Frame? {
        guard taken < frames.count, let frame = frames[taken] else { return nil }
        frames[taken] = nil
        taken += 1
        bytes -= frame.byteCount + Self.frameBytes
        if taken == frames.count {
            frames.removeAll(keepingCapacity: true)
            taken = 0
        }
        return frame
    }
}

extension Message {
    /// A whole frame: the header's bytes, then a copy of `payload`.
    init(_ header: FrameHeader, payload: RawSpan) {
        let head = FrameCodec.encode(header, payloadBytes: payload.byteCount)
        unsafe self.init(byteCount: head.count + payload.byteCount) { target in
            unsafe target.copyBytes(from: head)
            unsafe payload.withUnsafeBytes { bytes in
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[head.count...]).copyMemory(from: bytes)
            }
        }
    }

    init(copying bytes: [UInt8]) { unsafe self.init(copying: bytes.span.bytes) }
}
