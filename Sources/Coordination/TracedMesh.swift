internal import Collectives
internal import Logging
internal import Tracing
internal import Transport

/// A mesh whose frames are traced.
final class TracedMesh: Mesh {
    private let mesh: any Mesh
    private let logger: Logger

    /// The mesh itself while frames are not traced.
    static func around(_ mesh: any Mesh) -> any Mesh {
        guard let logger = Trace.frames, logger.logLevel == .trace else { return mesh }
        return TracedMesh(mesh, logger)
    }

    private init(_ mesh: any Mesh, _ logger: Logger) { (self.mesh, self.logger) = (mesh, logger) }

    var rank: Int { mesh.rank }
    var worldSize: Int { mesh.worldSize }

    func send(_ header: FrameHeader, payload: RawSpan, to peer: Int, deadline: ContinuousClock.Instant)
        throws(MeshError)
    {
        try mesh.send(header, payload: payload, to: peer, deadline: deadline)
        trace("sent", header, bytes: payload.byteCount, to: [peer])
    }

    func send(_ header: FrameHeader, payload: RawSpan, toEach peers: [Int], deadline: ContinuousClock.Instant)
        throws(MeshError)
    {
        try mesh.send(header, payload: payload, toEach: peers, deadline: deadline)
        trace("sent", header, bytes: payload.byteCount, to: peers)
    }

    func send(
        _ header: FrameHeader, lending payload: LentBytes, toEach peers: [Int], deadline: ContinuousClock.Instant
    ) throws(MeshError) {
        try mesh.send(header, lending: payload, toEach: peers, deadline: deadline)
        trace("sent", header, bytes: payload.count, to: peers)
    }

    func receive(deadline: ContinuousClock.Instant) throws(MeshError) -> any ReceivedFrame {
        let frame = try mesh.receive(deadline: deadline)
        trace("received", frame.header, bytes: frame.withPayload { $0.byteCount }, to: [rank])
        return frame
    }

    private func trace(_ what: Logger.Message, _ header: FrameHeader, bytes: Int, to ranks: [Int]) {
        let kind =
            ShardFrame.Kind(rawValue: header.kind).map { "\($0)" }
            ?? ExchangeKind(rawValue: header.kind).map { "\($0)" } ?? "\(header.kind)"
        logger.trace(
            what,
            metadata: [
                "kind": "\(kind)", "from": "\(header.sender)", "to": "\(ranks.map(String.init).joined(separator: ","))",
                "generation": "\(header.generation)", "step": "\(header.step)", "bucket": "\(header.bucket)",
                "offset": "\(header.offset)", "count": "\(header.count)", "bytes": "\(bytes)",
            ])
    }
}
