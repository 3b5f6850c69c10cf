internal import CZeroMQ

/// The bytes of one message, owned by libzmq and freed with this value.
///
/// Large messages were received directly into this memory. The first byte may be at any address: load multi-byte
/// values unaligned.
@safe
package struct Message: ~Copyable {
    let raw: UnsafeMutablePointer<zmq_msg_t>

    /// An empty message, to receive into.
    init() {
        unsafe raw = UnsafeMutablePointer<zmq_msg_t>.allocate(capacity: 1)
        _ = unsafe zmq_msg_init(raw)
    }

    /// A message of `byteCount` bytes, written by `fill`.
    package init(byteCount: Int, fill: (UnsafeMutableRawBufferPointer) -> Void) {
        unsafe raw = UnsafeMutablePointer<zmq_msg_t>.allocate(capacity: 1)
        let result = unsafe zmq_msg_init_size(raw, byteCount)
        precondition(result == 0, "no memory for a message of \(byteCount) bytes")
        unsafe fill(UnsafeMutableRawBufferPointer(start: zmq_msg_data(raw), count: byteCount))
    }

    /// A message with a copy of `bytes`.
    package init(copying bytes: RawSpan) {
        unsafe self.init(byteCount: bytes.byteCount) { target in
            unsafe bytes.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
        }
    }

    /// A message of bytes in place; their owner is kept alive until libzmq is done with them.
    init(lending payload: LentBytes) {
        unsafe raw = UnsafeMutablePointer<zmq_msg_t>.allocate(capacity: 1)
        let owner = unsafe Unmanaged.passRetained(payload.owner)
        let result = unsafe zmq_msg_init_data(
            raw, UnsafeMutableRawPointer(mutating: payload.bytes.baseAddress), payload.bytes.count,
            { _, owner in
                if let owner = unsafe owner { unsafe Unmanaged<AnyObject>.fromOpaque(owner).release() }
            }, owner.toOpaque())
        precondition(result == 0, "no memory for a message")
    }

    /// A message of the same bytes, which both share.
    init(sharing other: borrowing Message) {
        unsafe raw = UnsafeMutablePointer<zmq_msg_t>.allocate(capacity: 1)
        _ = unsafe zmq_msg_init(raw)
        let result = unsafe zmq_msg_copy(raw, other.raw)
        precondition(result == 0, "a message cannot be shared")
    }

    deinit {
        _ = unsafe zmq_msg_close(raw)
        unsafe raw.deallocate()
    }

    package var byteCount: Int { unsafe zmq_msg_size(raw) }

    /// Whether another part of the same message follows.
    package var hasMore: Bool { unsafe zmq_msg_more(raw) != 0 }

    /// The bytes, without copying them.
    package func withBytes<Result: ~Copyable, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result)
        throws(Failure) -> Result
    {
        let bytes = unsafe UnsafeRawBufferPointer(start: zmq_msg_data(raw), count: byteCount)
        return try unsafe body(bytes.bytes)
    }

    /// A copy of the bytes.
    package func copy() -> [UInt8] {
        unsafe [UInt8](UnsafeRawBufferPointer(start: zmq_msg_data(raw), count: byteCount))
    }

    func append(to bytes: inout [UInt8]) {
        unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(start: zmq_msg_data(raw), count: byteCount))
    }

    /// The public key that the sender proved; nil on a link without encryption.
    package var senderKey: PublicKey? {
        guard let text = unsafe zmq_msg_gets(raw, "User-Id") else { return nil }
        return PublicKey(unsafe String(cString: text))
    }

    /// The file descriptor that the message came through, the name by which a ``SocketMonitor`` reports a disconnect.
    package var descriptor: Int32? {
        let descriptor = unsafe zmq_msg_get(raw, ZMQ_SRCFD)
        return descriptor >= 0 ? descriptor : nil
    }
}
