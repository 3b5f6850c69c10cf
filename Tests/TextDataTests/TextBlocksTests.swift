import Foundation
import Gzip
import Testing

@testable import TextData

/// Long files are read in blocks of whole lines.
@Suite struct TextBlocksTests {
    private static let lines = (1...400).map { #"{"text": "a text \#($0) é", "label": \#($0 % 2)}"# }

    private func blocks(_ contents: Data, least: Int) throws -> [[UInt8]] {
        let folder = try TemporaryFolder(["a.jsonl": contents])
        let blocks = try TextBlocks(path: folder.path("a.jsonl"), least: least)
        var found: [[UInt8]] = []
        while let next = try blocks.next() { found.append(next) }
        #expect(blocks.isOver)
        return found
    }

    @Test(arguments: [1, 100, 5_000, 1 << 20])
    func `blocks end with lines, and together they are the file`(least: Int) throws {
        for last in ["", "\n"] {
            let all = Data((Self.lines.joined(separator: "\n") + last).utf8)
            let found = try blocks(all, least: least)
            #expect(Array(found.joined()) == Array(all))
            #expect(found.dropLast().allSatisfy { $0.last == 0x0A })
        }
        #expect(try blocks(Data(), least: least).isEmpty)
    }

    /// Gzip without compression.
    private func packed(_ bytes: [UInt8]) -> [UInt8] {
        var crc = UInt32.max
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        func little(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        var all: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]
        for start in stride(from: 0, to: bytes.count, by: 65_535) {
            let end = min(start + 65_535, bytes.count)
            all += [end == bytes.count ? 1 : 0] + little(end - start, 2) + little(~(end - start), 2)
            all += bytes[start..<end]
        }
        return all + little(Int(~crc), 4) + little(bytes.count, 4)
    }

    @Test func `a packed file of several reads is unpacked, and its end is missed`() throws {
        let lines = (1...60_000).map { "\($0) a line of words" }.joined(separator: "\n")
        let all = packed(Array(lines.utf8))
        #expect(all.count > 1 << 20)
        #expect(Array(try blocks(Data(all), least: 10_000).joined()) == Array(lines.utf8))
        let two = all + packed(Array("\nmore".utf8)) + [0, 0]
        #expect(Array(try blocks(Data(two), least: 10_000).joined()) == Array((lines + "\nmore").utf8))
        for cut in [1, 7, 9, 1 << 19] {
            let error = #expect(throws: TextFile.Failure.self) { try blocks(Data(all.dropLast(cut)), least: 10_000) }
            #expect(error == .packed(.cut, size: all.count - cut))
        }
        let error = #expect(throws: TextFile.Failure.self) { try blocks(Data(all + [1]), least: 10_000) }
        #expect(error == .packed(.damaged("other bytes follow after its end"), size: all.count + 1))
    }

    @Test func `a line that is longer than a block is whole`() throws {
        let long = String(repeating: "x", count: 3 << 20)
        let found = try blocks(Data("a\n\(long)\nb\n".utf8), least: 1)
        #expect(Array(found.joined()) == Array("a\n\(long)\nb\n".utf8))
        #expect(found.contains { $0.count > long.count })
    }

    @Test func `bytes that are not UTF-8 are found with their line in any block`() throws {
        var all = Data((Self.lines.joined(separator: "\n") + "\n").utf8)
        all.append(contentsOf: [0x7B, 0xE9, 0x0A])
        for least in [1, 1_000] {
            let error = #expect(throws: TextFile.Failure.self) { try blocks(all, least: least) }
            #expect(error == .notUTF8(line: 401))
        }
    }

    @Test func `JSON lines of several blocks are the rows of the whole file`() throws {
        // Over a megabyte, so that the file has two blocks.
        let filler = String(repeating: "w", count: 1_000)
        let rows = (1...1_500).map { #"{"text": "\#($0) \#(filler)", "label": "l\#($0 % 3)"}"# }
        let folder = try TemporaryFolder(["a.jsonl": rows.joined(separator: "\n\n")])
        let read = try Dataset(path: folder.path("a.jsonl"), labels: .required)
        #expect(Array(read.texts) == (1...1_500).map { "\($0) \(filler)" })
        #expect(read.labels == (1...1_500).map { ["l\($0 % 3)"] })
        #expect(read.lines == (0..<1_500).map { 2 * $0 + 1 })
    }

    @Test func `an error in a later block has its line`() throws {
        let filler = String(repeating: "w", count: 1_000)
        var rows = (1...1_500).map { #"{"text": "\#($0) \#(filler)", "label": "l"}"# }
        rows[1_498] = #"{"text": null, "label": "l"}"#
        let folder = try TemporaryFolder(["a.jsonl": rows.joined(separator: "\n")])
        let error = #expect(throws: DatasetError.self) { try Dataset(path: folder.path("a.jsonl"), labels: .required) }
        #expect(error?.line == 1_499)
    }

    @Test func `blank lines before the first object may fill a block`() throws {
        let blank = String(repeating: "\n", count: 5 << 18)
        let folder = try TemporaryFolder(["a.jsonl": blank + Self.lines.joined(separator: "\n")])
        let read = try Dataset(path: folder.path("a.jsonl"), labels: .required)
        #expect(read.count == 400)
        #expect(read.lines.first == (5 << 18) + 1)
    }

    @Test func `one object around a list says what to write instead`() throws {
        let folder = try TemporaryFolder(["a.json": #"{"version": 1, "data": [{"text": "a", "label": "x"}]}"# + "\n"])
        let error = #expect(throws: DatasetError.self) { try Dataset(path: folder.path("a.json"), labels: .required) }
        #expect(error?.problem.contains(#"a list of objects under "data""#) == true, "\(String(describing: error))")
    }
}
