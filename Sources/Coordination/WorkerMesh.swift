package import Transport

/// A worker's view of the mesh of its generation, in which the coordinator has the last rank.
///
/// Frames of the exchange and frames that are fed (samples, state) arrive on the same links; each kind waits until it
/// is requested. As a ``Mesh`` it contains only the workers. Belongs to one thread.
package final class WorkerMesh: Mesh {
    private let links: any Mesh
    private var exchanged: [any ReceivedFrame] = []
    private var fed: [any ReceivedFrame] = []

    package init(_ links: any Mesh) { self.links = links }

    package var rank: Int { links.rank }
    package var worldSize: Int { links.worldSize - 1 }
    /// The coordinator's rank on the links.
    package var coordinator: Int { links.worldSize - 1 }

    package func send(_ header: FrameHeader, payload: RawSpan, to peer: Int, deadline: ContinuousClock.Instant)
        throws(MeshError)
    {
        try links.send(header, payload: payload, to: peer, deadline: deadline)
    }

    package func send(_ header: FrameHeader, payload: RawSpan, toEach peers: [Int], deadline: ContinuousClock.Instant)
        throws(MeshError)
    {
        try links.send(header, payload: payload, toEach: peers, deadline: deadline)
    }

    package func receive(deadline: ContinuousClock.Instant) throws(MeshError) -> any ReceivedFrame {
        if !exchanged.isEmpty { return exchanged.removeFirst() }
        while true {
            let frame = try links.receive(deadline: deadline)
            if ShardFrame.Kind(rawValue: frame.header.kind) == nil { return frame }
            fed.append(frame)
        }
    }

    /// The next fed frame that `fits`, in order of arrival.
    package func receiveFed(deadline: ContinuousClock.Instant, where fits: (FrameHeader) -> Bool) throws(MeshError)
        -> any ReceivedFrame
    {
        if let place = fed.firstIndex(where: { fits($0.header) }) { return fed.remove(at: place) }
        while true {
            let frame = try links.receive(deadline: deadline)
            if ShardFrame.Kind(rawValue: frame.header.kind) == nil {
                exchanged.append(frame)
            } else if fits(frame.header) {
                return frame
            } else {
                fed.append(frame)
            }
        }
    }
}
