/// Frames that arrived before they were requested, in order of arrival. Each sender has a limit of its own, beyond
/// which it sends what the protocol does not allow.
package struct WaitingFrames {
    /// Most frames of one sender, and their bytes. A coordinator that feeds the next step in advance sends 16 frames of
    /// 15 MiB at most; a worker that runs ahead in an exchange sends less.
    package static let most = 4_096
    package static let mostBytes = 256 << 20

    private var frames: [any ReceivedFrame] = []
    private var counts: [UInt16: (frames: Int, bytes: Int)] = [:]

    package init() {}

    package var count: Int { frames.count }

    /// - Throws: ``MeshError/overrun(rank:)`` if the sender's limit is reached; the frame is dropped.
    package mutating func append(_ frame: any ReceivedFrame) throws(MeshError) {
        let sender = frame.header.sender
        var held = counts[sender] ?? (0, 0)
        held.frames += 1
        held.bytes += frame.withPayload { $0.byteCount }
        guard held.frames <= Self.most, held.bytes <= Self.mostBytes else { throw .overrun(rank: Int(sender)) }
        counts[sender] = held
        frames.append(frame)
    }

    /// Takes the oldest frame that `fits`.
    package mutating func take(where fits: (FrameHeader) -> Bool = { _ in true }) -> (any ReceivedFrame)? {
        guard let place = frames.firstIndex(where: { fits($0.header) }) else { return nil }
        let frame = frames.remove(at: place)
        let bytes = frame.withPayload { $0.byteCount }
        counts[frame.header.sender]?.frames -= 1
        counts[frame.header.sender]?.bytes -= bytes
        return frame
    }
}
