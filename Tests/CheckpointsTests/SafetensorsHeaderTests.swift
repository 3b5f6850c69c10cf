import Testing

@testable import Checkpoints
@testable import Files

/// Every header that lies about its file is refused, with a reason that names the tensor.
@Suite struct SafetensorsHeaderTests {
    /// Opens a file with this header and this many bytes of data.
    private func open(_ header: String, data: Int, length: UInt64? = nil) throws -> SafetensorsFile {
        let folder = try TemporaryFolder()
        return try SafetensorsFile(folder.write(safetensors(header, data: data, length: length), to: "a.safetensors"))
    }

    private func problem(_ header: String, data: Int, length: UInt64? = nil) -> String {
        do { _ = try open(header, data: data, length: length) } catch { return "\(error)" }
        return "none"
    }

    private static func entry(
        _ name: String, _ type: String = "F32", _ shape: String = "[2]", _ offsets: String = "[0,8]"
    ) -> String {
        "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
    }

    @Test func readsTensorsInTheOrderOfTheirBytes() throws {
        let file = try open(
            "{\(Self.entry("b", "F32", "[2,1]", "[8,16]")),"
                + "\"__metadata__\":{\"format\":\"pt\"},\(Self.entry("a")),"
                + "\(Self.entry("none", "F64", "[0,3]", "[8,8]"))}  ",
            data: 16)
        #expect(file.tensors.map(\.name) == ["a", "none", "b"])
        #expect(file.tensor("b")?.shape == [2, 1])
        #expect(file.tensor("none")?.count == 0)
        #expect(file.header.metadata == ["format": "pt"])
        #expect(file.tensor("c") == nil)
    }

    @Test func readsAScalarAndAFileWithoutTensors() throws {
        #expect(try open("{\(Self.entry("a", "F32", "[]", "[0,4]"))}", data: 4).floats("a") == [0])
        #expect(try open("{}", data: 0).tensors.isEmpty)
    }

    @Test(arguments: [
        (UInt64.max, "18446744073709551615"), (UInt64(Int64.max), "9223372036854775807"),
        (1 << 63, "9223372036854775808"),
        (100_000_001, "100000001"), (3, "3"), (1_000, "1000"),
    ])
    func refusesALengthThatIsNotTheHeaders(length: UInt64, shown: String) {
        let said = problem("{}", data: 0, length: length)
        #expect(said.contains("the header length is \(shown) bytes, the file has 10"), "\(said)")
    }

    @Test(arguments: 0..<8)
    func refusesAFileTooShortForALength(count: Int) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write([UInt8](repeating: 0, count: count), to: "a")
        #expect(
            throws: FileError(
                path,
                "is not a complete safetensors file: \(count) bytes are too few for a header at byte 0: copy or "
                    + "download it again"
            )
        ) {
            try SafetensorsFile(path)
        }
    }

    @Test(arguments: [
        // Offsets: overlapping, out of range, negative, turned round, holes, bytes too many.
        ("{\(entry("a")),\(entry("b", "F32", "[2]", "[4,12]"))}", 12, "b overlaps another"),
        ("{\(entry("a")),\(entry("b"))}", 8, "overlaps another"),
        ("{\(entry("a", "F32", "[2]", "[8,16]"))}", 8, "a lies at bytes 8..<16 of 8"),
        ("{\(entry("a", "F32", "[2]", "[0,9223372036854775807]"))}", 8, "a lies at bytes"),
        ("{\(entry("a", "F32", "[2]", "[-8,0]"))}", 8, "a lies at bytes -8..<0"),
        ("{\(entry("a", "F32", "[2]", "[8,0]"))}", 8, "a lies at bytes 8..<0"),
        ("{\(entry("a", "F32", "[2]", "[4,12]"))}", 12, "a leaves a gap before it"),
        ("{\(entry("a")),\(entry("b", "F32", "[1]", "[12,16]"))}", 16, "b leaves a gap before it"),
        ("{\(entry("a"))}", 9, "end at byte"),
        ("{}", 1, "end at byte 10, the file at 11"),
        ("{\(entry("a"))}", 7, "a lies at bytes 0..<8 of 7"),
        // Sizes: negative, too many, not whole, another than the bytes.
        ("{\(entry("a", "F32", "[-2]"))}", 8, "a has a size that is not a whole number"),
        ("{\(entry("a", "F32", "[-1,-2]"))}", 8, "a has a size that is not a whole number"),
        ("{\(entry("a", "F32", "[2.0]"))}", 8, "a has a size that is not a whole number"),
        ("{\(entry("a", "F32", "[\"2\"]"))}", 8, "a has a size that is not a whole number"),
        ("{\(entry("a", "F32", "[18446744073709551618]"))}", 8, "a has a size that is not a whole number"),
        ("{\(entry("a", "F32", "[4294967296,4294967296]"))}", 8, "a has too many elements"),
        ("{\(entry("a", "F32", "[4294967296,2147483647]"))}", 8, "a has 8 bytes, its shape"),
        ("{\(entry("a", "F32", "[2305843009213693954]"))}", 8, "a has 8 bytes, its shape"),
        ("{\(entry("a", "F32", "[3]"))}", 8, "a has 8 bytes, its shape [3] of F32 needs 12"),
        ("{\(entry("a", "F16", "[2]"))}", 8, "a has 8 bytes, its shape [2] of F16 needs 4"),
        // Types and forms.
        ("{\(entry("a", "F33"))}", 8, "a is of the unknown type F33"),
        ("{\(entry("a", "f32"))}", 8, "a is of the unknown type f32"),
        ("{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "a has no dtype"),
        ("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8, "a lacks its shape"),
        (
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,8]}}", 8,
            "a lacks its shape or its two offsets"
        ),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}", 8, "a lacks its shape"),
        ("{\"a\":[]}", 0, "a has no dtype"),
        ("{\(entry("a")),\(entry("a", "F32", "[2]", "[8,16]"))}", 16, "the key \"a\" occurs twice"),
        ("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "occurs twice"),
        ("{\"__metadata__\":[]}", 0, "__metadata__ is not an object"),
        ("{\"__metadata__\":{\"a\":1}}", 0, "__metadata__ has a value that is not a text"),
        ("[]", 0, "the header is not an object"),
        ("{", 0, "expected a key"),
        ("", 0, "the text ends early"),
    ])
    func refusesHostileHeaders(header: String, data: Int, reason: String) {
        let said = problem(header, data: data)
        #expect(said.contains(reason), "\(said)")
        #expect(said.hasSuffix("copy or download it again"))
        #expect(!said.contains("\n"))
    }

    @Test func refusesEveryTruncationOfAGoodFile() throws {
        let folder = try TemporaryFolder()
        try SafetensorsWriter.write([tensor("a", [2, 3]), tensor("b", [5])], to: folder("whole"))
        let bytes = try FileSystem.read(folder("whole"))
        for count in 0..<bytes.count {
            let path = try folder.write(Array(bytes.prefix(count)), to: "cut")
            #expect(throws: FileError.self) { try SafetensorsFile(path) }
        }
        _ = try SafetensorsFile(folder.write(bytes, to: "cut"))
    }

    @Test func aNameWithLineBreaksStaysOneLine() {
        let said = problem("{\(Self.entry("a\\nb\\u001b[2J\\u2028", "F99"))}", data: 8)
        #expect(said.contains("a\u{FFFD}b\u{FFFD}[2J\u{FFFD} is of the unknown type"), "\(said)")
    }
}
