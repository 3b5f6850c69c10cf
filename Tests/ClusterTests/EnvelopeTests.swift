import Testing
import Transport

@testable import Cluster

@Suite struct EnvelopeTests {
    static let call = Envelope(
        kind: .call, generation: 3, incarnation: .max - 5, call: 17, settledBelow: 12, sender: "worker-ab",
        recipient: "coordinator",
        target: "$s7Cluster", payload: [1, 2, 3])

    @Test func `an envelope read is the one written`() throws {
        #expect(try Envelope(Self.call.bytes) == Self.call)
        let beat = Envelope(kind: .heartbeat, generation: 0, incarnation: 0, sender: "x")
        #expect(try Envelope(beat.bytes) == beat)
    }

    @Test func `every truncation and any excess is refused`() {
        let bytes = Self.call.bytes
        for length in 0..<bytes.count {
            #expect(throws: Envelope.Refusal.self) { try Envelope(Array(bytes.prefix(length))) }
        }
        #expect(throws: Envelope.Refusal.length(announced: bytes.count, present: bytes.count + 1)) {
            try Envelope(bytes + [0])
        }
    }

    @Test func `a nameless or misnamed sender is refused`() {
        for name in ["", String(repeating: "n", count: Envelope.longestName + 1)] {
            let envelope = Envelope(kind: .heartbeat, generation: 0, incarnation: 0, sender: name)
            #expect(throws: Envelope.Refusal.name) { try Envelope(envelope.bytes) }
        }
        var bytes = Self.call.bytes
        bytes[Envelope.headerBytes] = 0xFF
        #expect(throws: Envelope.Refusal.name) { try Envelope(bytes) }
    }

    @Test func `a huge length is refused without taking memory for it`() {
        var bytes = Self.call.bytes
        for index in 40..<48 { bytes[index] = 0xFF }
        #expect(throws: Envelope.Refusal.self) { try Envelope(bytes) }
    }

    @Test func `mutated envelopes are read as exactly their bytes or refused`() {
        var generator = SeededGenerator(seed: 2)
        var accepted = 0
        for _ in 0..<100_000 {
            var bytes = Self.call.bytes
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.removeLast(min(bytes.count - 1, 3))
                case 2: bytes.insert(0, at: index)
                default: for position in index..<min(index + 4, bytes.count) { bytes[position] = 0xFF }
                }
            }
            guard let envelope = try? Envelope(bytes) else { continue }
            accepted += 1
            #expect(envelope.bytes == bytes)
        }
        #expect(accepted > 1_000)
    }
}
