import Testing

@testable import TextData

@Suite struct HeldOutRowsTests {
    private func dataset(_ rows: [(text: String, label: String)]) throws -> Dataset {
        let folder = try TemporaryFolder(["a.tsv": "text\tlabel\n" + rows.map { "\($0.text)\t\($0.label)\n" }.joined()])
        return try Dataset(path: folder.path("a.tsv"), labels: .required)
    }

    @Test(arguments: [0.1, 0.25, 0.5], [UInt64(0), 1, 7])
    func `each label has its share and each row its side`(share: Double, seed: UInt64) throws {
        let rows = try dataset((0..<200).map { ("text \($0)", $0 % 5 == 0 ? "rare" : "common") })
        let split = HeldOutRows(rows, share: share, seed: seed, stratified: true)
        #expect((split.training + split.validation).sorted() == Array(0..<200))
        #expect(split.validation == split.validation.sorted())
        let held = split.validation.count { rows.labels?[$0] == ["rare"] }
        #expect(abs(Double(held) - 40 * share) <= 1)
        #expect(abs(Double(split.validation.count) - 200 * share) <= 1)
    }

    @Test func `equal texts stay on one side`() throws {
        let rows = try dataset((0..<120).map { ("text \($0 % 40)", "\($0 % 2)") })
        let split = HeldOutRows(rows, share: 0.2, seed: 3, stratified: true)
        let sides = [split.training, split.validation].map { side in Set(side.map { rows.texts[$0] }) }
        #expect(sides[0].isDisjoint(with: sides[1]))
        #expect(!split.validation.isEmpty)
    }

    @Test func `the seed decides and nothing else`() throws {
        let rows = try dataset((0..<100).map { ("text \($0)", "\($0 % 2)") })
        let first = HeldOutRows(rows, share: 0.1, seed: 1, stratified: true)
        #expect(HeldOutRows(rows, share: 0.1, seed: 1, stratified: true) == first)
        #expect(HeldOutRows(rows, share: 0.1, seed: 2, stratified: true) != first)
    }

    @Test func `labels that are rare together have their share together`() throws {
        let rows = try dataset((0..<100).map { ("text \($0)", "\($0 % 50)") })
        #expect(HeldOutRows(rows, share: 0.1, seed: 0, stratified: true).validation.count == 10)
    }

    @Test func `rows keep their line, label and text`() throws {
        let rows = try dataset((0..<10).map { ("text \($0)", "\($0 % 2)") }).rows([7, 2])
        #expect(rows.texts == ["text 7", "text 2"])
        #expect(rows.labels == [["1"], ["0"]])
        #expect(rows.lines == [9, 4])
    }
}
