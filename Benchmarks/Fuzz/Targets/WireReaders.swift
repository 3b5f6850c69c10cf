internal import BERT
internal import Cluster
internal import Coordination
internal import Kernels
internal import Runs
internal import Transport

/// Readers of what arrives over a network.
enum WireReaders {
    /// A frame that is taken is the frame that its header makes.
    static func frame(_ input: [UInt8]) -> Bool {
        guard let header = unsafe try? FrameCodec.decode(input.span.bytes) else { return false }
        let payload = input.dropFirst(FrameCodec.headerBytes)
        precondition(FrameCodec.encode(header, payloadBytes: payload.count) + payload == input)
        return true
    }

    /// A stream of frames, cut at places that its first byte chooses: the frames are those of the stream in one piece.
    static func stream(_ input: [UInt8]) -> Bool {
        guard let step = input.first.map({ 1 + Int($0) }) else { return false }
        let bytes = input[1...]
        let (whole, cut) = (frames(of: bytes, atMost: .max), frames(of: bytes, atMost: step))
        precondition(whole == cut)
        precondition(whole.joined().elementsEqual(bytes.prefix(whole.joined().count)))
        return !whole.isEmpty
    }

    /// The bytes of the frames that a stream begins with.
    private static func frames(of bytes: ArraySlice<UInt8>, atMost step: Int) -> [[UInt8]] {
        var (stream, rest, found) = (FrameStream(), bytes, [[UInt8]]())
        while let frame = unsafe try? stream.next({ memory in
            let part = rest.prefix(min(step, memory.count))
            rest = rest.dropFirst(part.count)
            unsafe memory.copyBytes(from: part)
            return part.count
        }) {
            let payload = frame.withPayload { payload in unsafe payload.withUnsafeBytes { unsafe Array($0) } }
            found.append(FrameCodec.encode(streamed: frame.header, payloadBytes: payload.count) + payload)
        }
        return found
    }

    private static let roster = MeshRoster(
        generation: 7, token: 0x0123_4567_89AB_CDEF,
        peers: (0..<3).map { MeshPeer(endpoint: "ipc:///nowhere/\($0)", key: nil) })

    /// The first message of a link, then another of the same connection: a frame speaks for the rank that said hello.
    static func handshake(_ input: [UInt8]) -> Bool {
        var admission = LinkAdmission(roster: roster, rank: 0)
        let middle = min(input.count, FrameCodec.headerBytes)
        let connection = unsafe Message(copying: [1, 2, 3].span.bytes)
        let hello = unsafe Message(copying: Array(input[..<middle]).span.bytes)
        let frame = unsafe Message(copying: Array(input[middle...]).span.bytes)
        let first = admission.judge(hello, from: connection)
        guard case .hello = first else {
            if case .frame = first { preconditionFailure("a frame was taken before its connection's hello") }
            return false
        }
        if case .frame(let header) = admission.judge(frame, from: connection) {
            precondition(admission.hasAdmitted(Int(header.sender)))
        }
        // The same bytes with the payload in a part of its own.
        let head = unsafe Message(copying: Array(input[middle...].prefix(FrameCodec.headerBytes)).span.bytes)
        let part = max(0, input.count - middle - FrameCodec.headerBytes)
        if case .frame(let header) = admission.judge(head, part: part, from: connection) {
            precondition(admission.hasAdmitted(Int(header.sender)))
        }
        return true
    }

    /// An envelope that is taken has no other bytes.
    static func envelope(_ input: [UInt8]) -> Bool {
        guard let envelope = try? Envelope(input) else { return false }
        precondition(envelope.bytes == input)
        return true
    }

    /// The arguments of the calls that a coordinator and a worker answer.
    static func invocation(_ input: [UInt8]) -> Bool {
        var joining = InvocationDecoder(input)
        let isJoin =
            (try? joining.decodeNextArgument() as WorkerIdentity) != nil
            && (try? joining.decodeNextArgument() as ActorAddress) != nil
        func takes<Argument: Codable>(_ type: Argument.Type) -> Bool {
            var decoder = InvocationDecoder(input)
            return (try? decoder.decodeNextArgument() as Argument) != nil
        }
        return isJoin || takes(StepCommand.self) || takes(Commit.self) || takes(Formation.self) || takes(StepReady.self)
            || takes(HeldState.self)
    }

    private static let shape = BERTShape(
        vocabulary: 50, width: 8, layers: 1, heads: 1, feedForward: 8, positions: 16, types: 2, epsilon: 1e-12,
        activation: .gelu,
        hiddenDropout: 0, attentionDropout: 0, headDropout: 0, initializerRange: 0.02)

    private static let heads: [Head] = [
        .regression(), .classification(labels: 3), .multiLabel(labels: 3), .tokenClassification(labels: 3),
        .maskedLanguageModel, .regression(targets: 2),
    ]

    /// A count and what the run is like, as the frame's header and the run would give them, then the frame.
    static func shard(_ input: [UInt8]) -> Bool {
        guard input.count >= 9 else { return false }
        let count = input[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let run = RunDescription(
            id: 1, shape: shape, head: heads[Int(input[8] >> 3) % heads.count],
            source: SourceHead(head: .maskedLanguageModel, sharedLayers: 1),
            freeze: [], laneCount: 4, seed: 0, hasTypes: input[8] & 2 != 0)
        let frame = Array(input[9...])
        let (stream, withFeatures) = (input[8] & 1 == 0 ? TaskStream.target : .source, input[8] & 4 != 0)
        guard let batch = ShardFrame.decode(frame, count: count, run: run, stream: stream, withFeatures: withFeatures)
        else { return false }
        precondition(batch.samples.count == Int(count) && (withFeatures || batch.tokenCount <= frame.count / 4))
        precondition(batch.ids.allSatisfy { $0 >= 0 && $0 < 50 })
        return true
    }
}
