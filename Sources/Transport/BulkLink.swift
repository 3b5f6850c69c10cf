internal import CTLS

/// A connection to one rank that carries frames in both directions, in clear or under TLS 1.3.
///
/// Nothing here waits. Belongs to the thread of its mesh.
@safe
final class BulkLink {
    enum Progress: Equatable {
        case done
        /// Wait until the socket is ready, and try again.
        case blocked
        case ended
        /// The peer does not speak TLS, or its certificate is another one.
        case refused

        init(_ result: Int32) {
            self =
                switch Int(result) {
                case APUS_STREAM_DONE: .done
                case APUS_STREAM_BLOCKED: .blocked
                case APUS_STREAM_REFUSED: .refused
                default: .ended
                }
        }
    }

    let descriptor: Int32
    /// Whether there may be bytes that were not read.
    var mayRead = true
    /// Whether the connection ended, or brought bytes that are not frames.
    private(set) var hasEnded = false
    /// Whether it brought bytes that are not frames.
    private(set) var isForeign = false
    private let stream: OpaquePointer
    private var frames = FrameStream()

    /// Takes over `descriptor`, which is non-blocking.
    ///
    /// - Parameters:
    ///   - identity: nil for a link in clear.
    ///   - accepted: the certificates that the peer may have.
    /// - Returns: nil if there is no memory; the descriptor is closed.
    init?(_ descriptor: Int32, identity: TLSIdentity?, isServer: Bool, accepted: [CertificateDigest]) {
        let digests = accepted.flatMap(\.bytes)
        guard
            let stream = unsafe apus_stream_make(
                descriptor, identity?.handle, isServer ? 1 : 0, digests, accepted.count)
        else {
            closeDescriptor(descriptor)
            return nil
        }
        self.descriptor = descriptor
        unsafe self.stream = stream
    }

    deinit { unsafe apus_stream_free(stream) }

    func handshake() -> Progress { Progress(unsafe apus_stream_handshake(stream)) }

    /// The index of the peer's certificate among those accepted; nil in clear.
    var peer: Int? {
        let place = unsafe apus_stream_peer(stream)
        return place >= 0 ? Int(place) : nil
    }

    /// Whether this end has said anything in the handshake: the peer has begun one.
    var hasAnswered: Bool { unsafe apus_stream_has_answered(stream) != 0 }

    /// Takes over a frame; everything before must have been sent. In clear the payload stays in place until ``flush()``
    /// is done, or until ``forget()``.
    /// - Returns: whether it was taken; if not, the link is unusable.
    @unsafe
    func put(_ head: [UInt8], _ payload: UnsafeRawBufferPointer) -> Bool {
        unsafe Progress(apus_stream_put(stream, head, head.count, payload.baseAddress, payload.count)) == .done
    }

    /// Sends what the kernel takes.
    func flush() -> Progress { Progress(unsafe apus_stream_flush(stream)) }

    /// Whether bytes wait for the kernel.
    var hasOutput: Bool { unsafe apus_stream_has_output(stream) != 0 }

    /// Sends nothing more of a payload in place. The link is unusable.
    func forget() { unsafe apus_stream_forget(stream) }

    /// The next whole frame that is there; nil if there is none now, or ``hasEnded``.
    /// - Parameter limit: bytes of the longest payload accepted.
    func read(limit: Int = FrameStream.longestPayload) -> StreamedFrame? {
        do {
            let frame = try unsafe frames.next(limit: limit) { memory in
                let count = unsafe apus_stream_read(stream, memory.baseAddress, memory.count)
                if count < 0 { hasEnded = true }
                return max(0, count)
            }
            if frame == nil { mayRead = false }
            // What OpenSSL answers by itself, such as to a renewal of keys.
            if hasOutput, flush() == .ended { hasEnded = true }
            return frame
        } catch {
            (hasEnded, isForeign) = (true, true)
            return nil
        }
    }

    /// Sets the bytes after which the sending key is renewed.
    func renewKeys(after bytes: UInt64) { unsafe apus_stream_set_renewal(stream, bytes) }

    /// Whether the peer's kernel has left bytes unanswered for this long.
    func isSilent(for limit: Duration) -> Bool {
        unsafe apus_stream_is_silent(stream, UInt32(limit.milliseconds)) != 0
    }
}
