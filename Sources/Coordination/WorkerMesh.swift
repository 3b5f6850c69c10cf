package import Transport

/// A worker's view of the mesh of its generation, in which the coordinator has the last rank.
///
/// Frames of the exchange and frames that are fed (samples, state) arrive on the same links; each kind waits until it
/// is requested, up to the limits of ``WaitingFrames``. As a ``Mesh`` it contains only the workers. Belongs to one
/// thread.
package final class WorkerMesh: Mesh {
    private let links: any Mesh
    private var exchanged = WaitingFrames()
    private var fed = WaitingFrames()

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
        if let frame = exchanged.take() { return frame }
        while true {
            let frame = try links.receive(deadline: deadline)
            if ShardFrame.Kind(rawValue: frame.header.kind) == nil { return frame }
            try fed.append(frame)
        }
    }

    /// The next fed frame that `fits`, in order of arrival.
    package func receiveFed(deadline: ContinuousClock.Instant, where fits: (FrameHeader) -> Bool) throws(MeshError)
        -> any ReceivedFrame
    {
        if let frame = fed.take(where: fits) { return frame }
        while true {
            let frame = try links.receive(deadline: deadline)
            if ShardFrame.Kind(rawValue: frame.header.kind) == nil {
                try exchanged.append(frame)
            } else if fits(frame.header) {
                return frame
            } else {
                try fed.append(frame)
            }
        }
    }
}
