import Foundation
import Testing

/// Weights that were damaged, or made to do damage, are refused before anything is written.
@Suite struct HostileWeightsTests {
    struct Header: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// What the line has to say.
        let words: String
        let json: String
        /// The length that the file claims for its header; nil: the true one.
        var claimed: UInt64?
        var dataBytes = 8
    }

    static func tensor(_ name: String, _ type: String, _ shape: String, _ offsets: String) -> String {
        "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
    }

    static func one(_ type: String, _ shape: String, _ offsets: String) -> String {
        "{\(tensor("a", type, shape, offsets))}"
    }

    static func two(_ first: String, _ second: String, name: String = "b") -> String {
        "{\(tensor("a", "F32", "[1]", first)),\(tensor(name, "F32", "[1]", second))}"
    }

    @Test(arguments: [
        Header(testDescription: "a huge header", words: "the header length is", json: "{}", claimed: .max),
        Header(
            testDescription: "a header beyond the end", words: "the header length is 1000 bytes", json: "{}",
            claimed: 1_000),
        Header(testDescription: "no JSON", words: "is not a complete safetensors file", json: "not JSON"),
        Header(
            testDescription: "deep nesting", words: "is not a complete safetensors file",
            json: String(repeating: "[", count: 200_000)),
        Header(testDescription: "an array", words: "the header is not an object", json: "[]"),
        Header(
            testDescription: "overlapping offsets", words: "overlaps another", json: two("[0,4]", "[0,4]"), dataBytes: 4
        ),
        Header(testDescription: "a hole", words: "leaves a gap", json: two("[0,4]", "[8,12]"), dataBytes: 12),
        Header(
            testDescription: "offsets beyond the end", words: "is the file whole?", json: one("F32", "[2]", "[8,16]")),
        Header(testDescription: "offsets in the wrong order", words: "lies at bytes", json: one("F32", "[2]", "[8,0]")),
        Header(testDescription: "offsets below zero", words: "lies at bytes", json: one("F32", "[2]", "[-8,0]")),
        Header(
            testDescription: "a size below zero", words: "not a whole number of at least 0",
            json: one("F32", "[-2]", "[0,8]")),
        Header(
            testDescription: "sizes that overflow", words: "too many elements",
            json: one("F32", "[4294967296,4294967296]", "[0,8]")
        ),
        Header(
            testDescription: "bytes that overflow", words: "its shape",
            json: one("F32", "[2305843009213693952]", "[0,8]")),
        Header(testDescription: "a size that does not fit", words: "has 8 bytes", json: one("F32", "[3]", "[0,8]")),
        Header(
            testDescription: "a name given twice", words: "is not a complete safetensors file",
            json: two("[0,4]", "[4,8]", name: "a")),
        Header(testDescription: "an unknown type", words: "unknown type F33", json: one("F33", "[2]", "[0,8]")),
        Header(
            testDescription: "no tensor of a BERT", words: "has no tensor bert.embeddings.",
            json: one("F32", "[2]", "[0,8]")),
    ])
    func `a hostile header is refused`(header: Header) throws {
        let length = header.claimed ?? UInt64(header.json.utf8.count)
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) } + Array(header.json.utf8)
        try expectRefused(Data(bytes + [UInt8](repeating: 0, count: header.dataBytes)), header.words)
    }

    @Test(arguments: [0, 7, 8, 100, 5_000, 100_000])
    func `weights that break off are refused`(count: Int) throws {
        let whole = try Data(contentsOf: repository.appending(path: "Tests/Fixtures/golden/classify/model.safetensors"))
        try expectRefused(whole.prefix(count), "is not a complete safetensors file")
    }

    func expectRefused(_ weights: Data, _ words: String) throws {
        let job = try SmallJob()
        try weights.write(to: job.folder.url("model/model.safetensors"))
        let run = try ApusProcess(job.command("run"))
        expectOneLine(run, status: 2, words, job.path("model"))
        #expect(run.output.isEmpty)
        #expect(!job.exists("run"))
    }
}
