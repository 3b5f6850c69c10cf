import Testing

@testable import Transport

/// Frames that were not requested yet.
@Suite struct WaitingFramesTests {
    /// A frame whose payload costs no memory of its own.
    private struct Frame: ReceivedFrame {
        let header: FrameHeader
        let bytes: [UInt8]

        init(from sender: Int, step: UInt64 = 0, sharing bytes: [UInt8] = []) {
            header = .data(from: sender, step: step)
            self.bytes = bytes
        }

        func withPayload<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result
        {
            try unsafe body(bytes.span.bytes)
        }
    }

    @Test func `they are taken in the order in which they came`() throws {
        var frames = WaitingFrames()
        for step in 0..<6 { try frames.append(Frame(from: step % 2, step: UInt64(step))) }
        #expect(frames.take { $0.sender == 1 && $0.step > 1 }?.header.step == 3)
        #expect(frames.take { $0.step == 3 } == nil)
        var rest: [UInt64] = []
        while let frame = frames.take() { rest.append(frame.header.step) }
        #expect(rest == [0, 1, 2, 4, 5] && frames.count == 0)
    }

    @Test func `a sender of more frames than may wait is named, and the others may go on`() throws {
        var frames = WaitingFrames()
        for _ in 0..<WaitingFrames.most { try frames.append(Frame(from: 3)) }
        #expect(throws: MeshError.overrun(rank: 3)) { try frames.append(Frame(from: 3)) }
        try frames.append(Frame(from: 4))
        #expect(frames.count == WaitingFrames.most + 1)
        // What is taken makes room again.
        #expect(frames.take { $0.sender == 3 } != nil)
        try frames.append(Frame(from: 3))
        #expect(throws: MeshError.overrun(rank: 3)) { try frames.append(Frame(from: 3)) }
    }

    @Test func `a sender of more bytes than may wait is named`() throws {
        var frames = WaitingFrames()
        let payload = [UInt8](repeating: 7, count: FrameStream.longestPayload)
        let most = WaitingFrames.mostBytes / payload.count
        for _ in 0..<most { try frames.append(Frame(from: 1, sharing: payload)) }
        #expect(throws: MeshError.overrun(rank: 1)) { try frames.append(Frame(from: 1, sharing: [7])) }
        #expect(throws: Never.self) { try frames.append(Frame(from: 2, sharing: payload)) }
        #expect(frames.take { $0.sender == 1 } != nil)
        try frames.append(Frame(from: 1, sharing: payload))
    }
}
