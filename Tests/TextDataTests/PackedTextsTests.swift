import Testing

@testable import TextData

@Suite struct PackedTextsTests {
    @Test func `texts are those that were added, however many and long`() {
        let texts = (0..<10_000).map { String(repeating: "é\($0)", count: $0 % 7) }
        let packed = PackedTexts(texts)
        #expect(Array(packed) == texts)
        #expect(packed.count == 10_000)
        #expect(packed[4_096] == texts[4_096] && packed.last == texts.last)
        #expect(Array(packed[4_090..<4_100]) == Array(texts[4_090..<4_100]))
        #expect(PackedTexts(texts) == packed)
        #expect(PackedTexts(texts.dropLast()) != packed)
    }

    @Test func `equal labels of many rows are the same memory`() {
        var known = KnownLabels()
        let labels = (0..<3).map { _ in known.shared(["a label that does not fit into sixteen bytes"]) }
        let addresses = labels.map { list in
            unsafe list.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
        }
        #expect(Set(addresses).count == 1)
        #expect(known.shared(["a", "b"]) == ["a", "b"] && known.shared([]) == [])
    }
}

@Suite struct EqualTextsTests {
    private func dataset(_ texts: [String], pair: String? = nil) throws -> Dataset {
        let header = pair == nil ? "text\n" : "text1\ttext2\n"
        let rows = texts.map { $0 + (pair.map { "\t" + $0 } ?? "") + "\n" }
        let folder = try TemporaryFolder(["a.tsv": header + rows.joined()])
        return try Dataset(path: folder.path("a.tsv"), labels: .unwanted)
    }

    @Test func `the first row with a text is found`() throws {
        let rows = try dataset((0..<3_000).map { "text \($0 % 1_000)" })
        var texts = EqualTexts(rows)
        for row in 0..<3_000 { #expect(texts.firstRow(like: row) == row % 1_000) }
        #expect(texts.contains(0, of: try dataset(["text 999"])))
        #expect(!texts.contains(0, of: try dataset(["text 1000"])))
    }

    @Test func `letters may be composed or not`() throws {
        var texts = EqualTexts(try dataset(["caf\u{E9}", "cafe\u{301}", "cafe"]))
        let found: [Int] = (0..<3).map { texts.firstRow(like: $0) }
        #expect(found == [0, 0, 2])
    }

    @Test func `a pair is not its first text`() throws {
        let rows = try dataset(["a", "a"], pair: "b")
        var texts = EqualTexts(rows)
        let found: [Int] = (0..<2).map { texts.firstRow(like: $0) }
        #expect(found == [0, 0])
        #expect(!texts.contains(0, of: try dataset(["a"])))
        #expect(texts.contains(0, of: try dataset(["a"], pair: "b")))
    }
}
