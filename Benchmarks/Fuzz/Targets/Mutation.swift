internal import Transport

/// Changes inputs at places drawn from a seed: the same ones every time.
package struct Mutation: Sendable {
    private let examples: [[UInt8]]
    private let dictionary: [[UInt8]]
    private var random: SeededGenerator

    /// Longest input made.
    private static let longest = 4_096

    package init(of target: FuzzTarget, seed: UInt64) {
        examples = target.examples
        dictionary = target.dictionary
        random = SeededGenerator(seed: seed)
    }

    /// The next input: an example with one to four changes, or now and then bytes of no meaning.
    package mutating func next() -> [UInt8] {
        if Int.random(in: 0..<32, using: &random) == 0 {
            return (0..<Int.random(in: 0...64, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        }
        var bytes = examples[Int.random(in: 0..<examples.count, using: &random)]
        for _ in 0..<Int.random(in: 1...4, using: &random) { change(&bytes) }
        return bytes
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return bytes.append(UInt8.random(in: 0...255, using: &random)) }
        let start = Int.random(in: 0..<bytes.count, using: &random)
        let end = min(bytes.count, start + Int.random(in: 0...16, using: &random))
        switch Int.random(in: 0..<8, using: &random) {
        case 0: bytes[start] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes[start] ^= 1 << UInt8.random(in: 0...7, using: &random)
        case 2: bytes[start] = UInt8.random(in: 0x30...0x39, using: &random)
        case 3: bytes.removeSubrange(start..<end)
        case 4:
            bytes.replaceSubrange(start..<end, with: dictionary[Int.random(in: 0..<dictionary.count, using: &random)])
        case 5: bytes.insert(contentsOf: dictionary[Int.random(in: 0..<dictionary.count, using: &random)], at: start)
        case 6: bytes.removeSubrange(end...)
        default:
            // Now and then so often that depth and length limits are met.
            let piece = Array(bytes[start..<end])
            let times = Int.random(in: 0..<16, using: &random) == 0 ? Int.random(in: 1...200, using: &random) : 1
            guard bytes.count + piece.count * times <= Self.longest else { return }
            for _ in 0..<times { bytes.insert(contentsOf: piece, at: start) }
        }
    }
}
