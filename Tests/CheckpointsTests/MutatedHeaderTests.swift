import Testing

@testable import Checkpoints

/// Headers changed at places drawn from a fixed seed: each is read or refused without a trap, and ranges that are read
/// lie in the file.
@Suite struct MutatedHeaderTests {
    private static let text =
        #"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"#
        + #""b":{"dtype":"BF16","shape":[3],"data_offsets":[8,14]}}"#
    private static let valid = Array(text.utf8)
    private static let dataCount = 14
    private static let pieces = [
        "0", "1", "8", "14", "-1", "9223372036854775807", "18446744073709551615", "4294967296", "1e9", "[]", "{}", ",",
        "\"a\"", "\\u0061", "\\", "\"",
        "F64", "I8", "null", "[[[[", "}", "]",
    ].map { Array($0.utf8) }

    private func mutated(_ random: inout FixedSequence) -> [UInt8] {
        var bytes = Self.valid
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            guard !bytes.isEmpty else { break }
            let start = Int.random(in: 0..<bytes.count, using: &random)
            let end = min(bytes.count, start + Int.random(in: 0...6, using: &random))
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[start] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes[start] = UInt8.random(in: 0x30...0x39, using: &random)
            case 2: bytes.removeSubrange(start..<end)
            case 3:
                bytes.replaceSubrange(
                    start..<end, with: Self.pieces[Int.random(in: 0..<Self.pieces.count, using: &random)])
            default: bytes.insert(contentsOf: bytes[start..<end], at: start)
            }
        }
        return bytes
    }

    /// - Returns: whether the header was read.
    private func check(_ bytes: [UInt8], fileSize: Int) -> Bool {
        guard let header = try? SafetensorsHeader(parsing: bytes, fileSize: fileSize) else { return false }
        var end = 8 + bytes.count
        for tensor in header.tensors {
            #expect(tensor.range.lowerBound == end && tensor.range.upperBound <= fileSize)
            #expect(tensor.count * tensor.type.bits == tensor.range.count * 8)
            end = tensor.range.upperBound
        }
        #expect(end == fileSize)
        return true
    }

    @Test(arguments: 0..<8)
    func changedHeadersAreReadOrRefused(seed: UInt64) {
        var random = FixedSequence(seed)
        var read = 0
        for _ in 0..<7_500 {
            let bytes = mutated(&random)
            if check(bytes, fileSize: 8 + bytes.count + Self.dataCount) { read += 1 }
        }
        #expect(read > 50 && read < 7_000, "\(read)")
    }

    @Test func randomBytesAreRefused() {
        var random = FixedSequence(99)
        let letters = Array("{}[]\":,\\u0123 -eE.tfn".utf8)
        for place in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...24, using: &random)).map { _ in
                place % 2 == 0
                    ? UInt8.random(in: 0...255, using: &random)
                    : letters[Int.random(in: 0..<letters.count, using: &random)]
            }
            #expect(!check(bytes, fileSize: 8 + bytes.count + 1))
        }
    }

    @Test func randomLengthsStayInTheFile() throws {
        var random = FixedSequence(7)
        var accepted = 0
        for _ in 0..<20_000 {
            let size = Int.random(in: 0...64, using: &random)
            let bits = UInt64.random(in: 0...64, using: &random)
            let length = bits == 64 ? random.next() : random.next() & ((1 << bits) - 1)
            let start = (0..<min(8, size)).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) }
            guard let end = try? SafetensorsHeader.end(of: start, fileSize: size) else { continue }
            #expect(end >= 8 && end <= size)
            accepted += 1
        }
        #expect(accepted > 500)
    }
}
