import Foundation
import Testing

@testable import Checkpoints
@testable import Files

/// Parsed JSON takes many times its bytes: files of a model folder have a size limit.
@Suite struct JSONLimitTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A file of this length whose end is not on the disk.
    private func write(_ start: [UInt8], count: Int, to name: String) throws {
        let path = try folder.write(start, to: name)
        let outcome = unsafe truncate(path, count)
        try #require(outcome == 0)
    }

    private func problem(_ body: () throws -> Void) -> String {
        do { try body() } catch { return "\(error)" }
        return "none"
    }

    @Test func `a configuration of the longest length is parsed, and a longer one is not`() throws {
        let longest = ModelFolder.longestJSON
        try folder.write("{" + String(repeating: " ", count: longest - 2) + "}", to: "config.json")
        #expect(try ModelFolder.configuration(folder.path).members?.isEmpty == true)
        try write(Array("{}".utf8), count: longest + 1, to: "config.json")
        #expect(
            problem { _ = try ModelFolder.configuration(folder.path) }.contains(
                "has \(longest + 1) bytes, at most \(longest) are read"))
    }

    @Test func `so is an index of shards`() throws {
        try folder.write("{}", to: "config.json")
        try write([], count: ModelFolder.longestJSON + 1, to: "model.safetensors.index.json")
        #expect(problem { _ = try ModelFolder(folder.path) }.contains("at most"))
    }

    @Test func `and a safetensors header`() throws {
        func file(_ length: Int) throws -> String {
            try write(
                (0..<8).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) }, count: 8 + length, to: "a.safetensors")
            return problem { _ = try SafetensorsFile(folder("a.safetensors")) }
        }
        let longest = SafetensorsHeader.longest
        #expect(try file(longest + 1).contains("the header has \(longest + 1) bytes, at most \(longest) are read"))
        #expect(try !file(longest).contains("at most"))
    }
}
