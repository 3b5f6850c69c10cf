/// The fixed header of every data-plane frame.
///
/// It describes the payload and to which membership and step it belongs, so that a frame of an
/// ended generation is recognized and dropped.
package struct FrameHeader: Equatable, Sendable {
    /// The kind of payload; values are defined by the protocol, unknown ones are refused.
    package var kind: UInt8
    /// Rank of the sender within the generation.
    package var sender: UInt16
    /// Version of the membership.
    package var generation: UInt32
    /// Optimizer step, counted from 1.
    package var step: UInt64
    /// Number of the bucket: gradients exchanged together.
    package var bucket: UInt32
    /// First element of the range that the payload covers.
    package var offset: UInt64
    /// Number of elements that the payload covers.
    package var count: UInt64

    package init(
        kind: UInt8, sender: UInt16, generation: UInt32, step: UInt64, bucket: UInt32, offset: UInt64, count: UInt64
    ) {
        self.kind = kind
        self.sender = sender
        self.generation = generation
        self.step = step
        self.bucket = bucket
        self.offset = offset
        self.count = count
    }
}

/// A received frame: header and payload, which lives as long as the frame.
package protocol ReceivedFrame {
    var header: FrameHeader { get }
    /// Calls `body` with the payload's bytes, without copying them.
    func withPayload<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result
}

/// Links from one rank to every other rank of a generation.
///
/// A mesh belongs to one thread. A world of one is an empty mesh. After any error the generation is over and the
/// mesh is rebuilt, never patched.
package protocol Mesh: AnyObject {
    var rank: Int { get }
    var worldSize: Int { get }

    /// Passes one frame to the link to `peer`; waits while that link's queue is full, until `deadline`.
    /// - Throws: ``MeshError`` when the deadline passes or the peer is lost.
    func send(_ header: FrameHeader, payload: RawSpan, to peer: Int, deadline: ContinuousClock.Instant)
        throws(MeshError)

    /// Passes one frame to the link to each of `peers`, as if they were sent one after another.
    func send(_ header: FrameHeader, payload: RawSpan, toEach peers: [Int], deadline: ContinuousClock.Instant)
        throws(MeshError)

    /// The same with a payload that may be sent directly from its owner's memory: it is not written until every one of
    /// `peers` has received the frame, or the generation is over and its memory is abandoned.
    func send(_ header: FrameHeader, lending payload: LentBytes, toEach peers: [Int], deadline: ContinuousClock.Instant)
        throws(MeshError)

    /// The next frame from any peer, in order for each peer.
    /// - Throws: ``MeshError`` when the deadline passes or a peer is lost.
    func receive(deadline: ContinuousClock.Instant) throws(MeshError) -> any ReceivedFrame
}

extension Mesh {
    package func send(_ header: FrameHeader, payload: RawSpan, toEach peers: [Int], deadline: ContinuousClock.Instant)
        throws(MeshError)
    {
        for peer in peers { try send(header, payload: payload, to: peer, deadline: deadline) }
    }

    package func send(
        _ header: FrameHeader, lending payload: LentBytes, toEach peers: [Int], deadline: ContinuousClock.Instant
    ) throws(MeshError) {
        try unsafe send(header, payload: payload.bytes.bytes, toEach: peers, deadline: deadline)
    }
}

/// Bytes in memory that `owner` keeps alive.
@safe
package struct LentBytes {
    let bytes: UnsafeRawBufferPointer
    let owner: AnyObject

    @unsafe
    package init(_ bytes: UnsafeRawBufferPointer, of owner: AnyObject) {
        unsafe self.bytes = bytes
        self.owner = owner
    }

    package var count: Int { unsafe bytes.count }
}

/// Why a mesh can no longer be used.
package enum MeshError: Error, Equatable, Sendable {
    /// A link to this rank closed.
    case lost(rank: Int)
    /// Nothing moved before the deadline; `waitingFor` has the silent ranks, if known.
    case deadline(waitingFor: [Int])
    /// The addresses of these ranks refuse connections.
    case unreachable(ranks: [Int], reason: String)
    /// This rank sent more than may arrive while links form.
    case flooded(rank: Int)
    /// This rank sent more frames than may wait until they are requested.
    case overrun(rank: Int)
    /// The mesh was told to stop from another thread.
    case cancelled
    /// The socket itself failed.
    case socket(operation: String, code: Int32)
}
