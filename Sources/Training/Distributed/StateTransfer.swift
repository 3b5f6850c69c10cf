internal import Tensors
internal import Transport

/// A training state on its way over a mesh: weights, both moments, touched rows, in frames of a few hundred KiB.
enum StateTransfer {
    static let frameElements = 1 << 16

    /// Sends a state to one rank.
    static func send(_ state: TrainingState, over mesh: any Mesh, generation: UInt32, to peer: Int, deadline: ContinuousClock.Instant) throws(MeshError) {
        for (kind, buffer) in [(ShardFrame.Kind.parameters, state.parameters), (.first, state.first), (.second, state.second)] {
            for start in stride(from: 0, to: buffer.count, by: frameElements) {
                let values = buffer.view[start..<min(start + frameElements, buffer.count)]
                try values.withSpan { (span) throws(MeshError) in
                    try unsafe mesh.send(
                        header(kind, mesh.rank, generation, offset: start, count: span.count), payload: span.bytes, to: peer, deadline: deadline)
                }
            }
        }
        let words = state.touched.words
        try unsafe mesh.send(
            header(.touched, mesh.rank, generation, offset: 0, count: words.count), payload: words.span.bytes, to: peer, deadline: deadline)
    }

    private static func header(_ kind: ShardFrame.Kind, _ rank: Int, _ generation: UInt32, offset: Int, count: Int) -> FrameHeader {
        FrameHeader(
            kind: kind.rawValue, sender: UInt16(rank), generation: generation, step: 0, bucket: 0, offset: UInt64(offset), count: UInt64(count))
    }

    /// Receives a state from one rank into buffers of the right size.
    /// - Parameter next: the next fed frame of that rank.
    static func receive(
        into state: inout TrainingState, _ next: () throws(MeshError) -> any ReceivedFrame
    ) throws(MeshError) {
        for (kind, buffer) in [(ShardFrame.Kind.parameters, state.parameters), (.first, state.first), (.second, state.second)] {
            for start in stride(from: 0, to: buffer.count, by: frameElements) {
                let values = buffer.view[start..<min(start + frameElements, buffer.count)]
                let frame = try next()
                guard frame.header.kind == kind.rawValue, frame.header.offset == UInt64(start), copy(frame, to: values) else {
                    throw .lost(rank: Int(frame.header.sender))
                }
            }
        }
        let frame = try next()
        let words = frame.withPayload { bytes in
            (0..<(bytes.byteCount / 8)).map { place in unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 8 * place, as: UInt64.self) }
        }
        guard frame.header.kind == ShardFrame.Kind.touched.rawValue, let touched = TouchedRows(rows: state.touched.rows, words: words) else {
            throw .lost(rank: Int(frame.header.sender))
        }
        state.touched = touched
    }

    /// - Returns: whether the frame has exactly the bytes of `values`.
    static func copy(_ frame: any ReceivedFrame, to values: FloatView) -> Bool {
        frame.withPayload { bytes in
            guard bytes.byteCount == values.count * MemoryLayout<Float>.stride else { return false }
            values.withMutableSpan { target in
                for place in 0..<target.count {
                    target[place] = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 4 * place, as: Float.self)
                }
            }
            return true
        }
    }
}
