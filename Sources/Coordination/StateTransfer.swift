internal import Learning
internal import Tensors
internal import Transport

/// Transfer of a training state over a mesh: weights, both moments, touched rows, in frames that fit one message part.
enum StateTransfer {
    static let frameElements = 1 << 15

    /// Bytes of a state's values; those of its headers and touched rows are few.
    static func bytes(of layout: ParameterLayout) -> Int { 4 * (layout.count + 2 * layout.stateCount) }

    /// Sends the state after `step` to one rank. Every frame names that step.
    static func send(
        _ state: TrainingState, after step: Int, over mesh: any Mesh, generation: UInt32, to peer: Int,
        deadline: ContinuousClock.Instant
    ) throws(MeshError) {
        func header(_ kind: ShardFrame.Kind, offset: Int, count: Int) -> FrameHeader {
            FrameHeader(
                kind: kind.rawValue, sender: UInt16(mesh.rank), generation: generation, step: UInt64(step), bucket: 0,
                offset: UInt64(offset), count: UInt64(count))
        }
        for (kind, buffer) in [
            (ShardFrame.Kind.parameters, state.parameters), (.first, state.first), (.second, state.second),
        ] {
            for start in stride(from: 0, to: buffer.count, by: frameElements) {
                let values = buffer.view[start..<min(start + frameElements, buffer.count)]
                try values.withSpan { (span) throws(MeshError) in
                    try unsafe mesh.send(
                        header(kind, offset: start, count: span.count), payload: span.bytes, to: peer,
                        deadline: deadline)
                }
            }
        }
        let words = state.touched.words
        try unsafe mesh.send(
            header(.touched, offset: 0, count: words.count), payload: words.span.bytes, to: peer, deadline: deadline)
    }

    /// Receives the state after `step` from one rank into buffers of the right size.
    /// - Parameter next: the next fed frame of that rank.
    /// - Throws: ``MeshError/lost(rank:)`` for frames of another step or size; errors of `next`. Only a part of the
    ///   state may have arrived then.
    static func receive(
        into state: inout TrainingState, after step: Int, _ next: () throws(MeshError) -> any ReceivedFrame
    ) throws(MeshError) {
        for (kind, buffer) in [
            (ShardFrame.Kind.parameters, state.parameters), (.first, state.first), (.second, state.second),
        ] {
            for start in stride(from: 0, to: buffer.count, by: frameElements) {
                let values = buffer.view[start..<min(start + frameElements, buffer.count)]
                let frame = try next()
                guard frame.header.kind == kind.rawValue, frame.header.step == UInt64(step),
                    frame.header.offset == UInt64(start),
                    copy(frame, to: values)
                else {
                    throw .lost(rank: Int(frame.header.sender))
                }
            }
        }
        let frame = try next()
        let words = frame.withPayload { bytes in
            (0..<(bytes.byteCount / 8)).map { place in
                unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 8 * place, as: UInt64.self)
            }
        }
        guard frame.header.kind == ShardFrame.Kind.touched.rawValue, frame.header.step == UInt64(step),
            let touched = TouchedRows(rows: state.touched.rows, words: words)
        else {
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
