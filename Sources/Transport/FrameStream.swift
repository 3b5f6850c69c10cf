/// A frame as it came through a stream of bytes.
@safe
package final class StreamedFrame: SizedFrame {
    package let header: FrameHeader
    let byteCount: Int
    private var payload: UnsafeMutableRawPointer
    private var capacity: Int

    /// Bytes of an exchange's frame: the memory of longer ones grows with the bytes that came.
    private static let firstCapacity = 128 << 10

    init(header: FrameHeader, byteCount: Int) {
        self.header = header
        self.byteCount = byteCount
        capacity = min(max(byteCount, 1), Self.firstCapacity)
        unsafe payload = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 64)
    }

    deinit { unsafe payload.deallocate() }

    /// The memory for the bytes from `filled` on, or a part of it.
    fileprivate func rest(from filled: Int) -> UnsafeMutableRawBufferPointer {
        if filled == capacity {
            let larger = min(2 * capacity, byteCount)
            let grown = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 64)
            unsafe grown.copyMemory(from: payload, byteCount: filled)
            unsafe payload.deallocate()
            unsafe payload = grown
            capacity = larger
        }
        return unsafe UnsafeMutableRawBufferPointer(start: payload + filled, count: min(capacity, byteCount) - filled)
    }

    package func withPayload<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure)
        -> Result
    {
        let bytes = unsafe UnsafeRawBufferPointer(start: payload, count: byteCount)
        return try unsafe body(bytes.bytes)
    }
}

/// Cuts a stream of bytes into frames. Each is a header of 64 bytes, the last 16 of them zero, and its payload.
package struct FrameStream {
    /// ``FrameCodec``'s header and zeros, so that a payload begins at a cache line of the stream.
    package static let headBytes = 64
    /// Bytes of the longest payload.
    package static let longestPayload = 16 << 20

    private var head = [UInt8](repeating: 0, count: Self.headBytes)
    private var headFilled = 0
    private var open: StreamedFrame?
    private var filled = 0

    package init() {}

    /// The next whole frame.
    ///
    /// - Parameters:
    ///   - limit: bytes of the longest payload accepted.
    ///   - read: fills the beginning of the memory it is given and returns how many bytes; 0 if none are there.
    /// - Returns: nil once `read` has no more bytes.
    /// - Throws: ``FrameCodec/Refusal`` if the bytes are not a frame; the stream is unusable then.
    package mutating func next(limit: Int = Self.longestPayload, _ read: (UnsafeMutableRawBufferPointer) -> Int)
        throws(FrameCodec.Refusal) -> StreamedFrame?
    {
        while true {
            if let frame = open {
                if filled == frame.byteCount {
                    open = nil
                    return frame
                }
                let count = unsafe read(frame.rest(from: filled))
                guard count > 0 else { return nil }
                filled += count
            } else {
                let start = headFilled
                let count = unsafe head.withUnsafeMutableBytes {
                    unsafe read(UnsafeMutableRawBufferPointer(rebasing: $0[start...]))
                }
                guard count > 0 else { return nil }
                headFilled += count
                guard headFilled == Self.headBytes else { continue }
                headFilled = 0
                let (header, bytes) = try FrameCodec.decode(streamed: unsafe head.span.bytes, limit: limit)
                open = StreamedFrame(header: header, byteCount: bytes)
                filled = 0
            }
        }
    }
}
