import Foundation
import Gzip
import Testing

@testable import TextData

/// Data files that gzip packed.
@Suite struct GunzipTests {
    /// Packed by Python's `gzip`, at level 9 and without a time.
    private static let table = bytes("H4sIAAAAAAACAytJrSjhzElMSs3hSs/PT1FIy8zJ5TTkSkqEMg24AB700+giAAAA")
    private static let members =
        bytes("H4sIAAAAAAACAytJrSjhzElMSs3hSs/PT1FIy8zJ5TTkAgDHRU1PFwAAAA==")
        + bytes("H4sIAAAAAAACA0tKTFFIy8zJ5TTgAgAYNbLHCwAAAA==")
    private static let text = "text\tlabel\ngood film\t1\nbad film\t0\n"

    /// A million zeros: what deflate makes of them is mostly zeros, too.
    private static let million: [UInt8] = {
        func bytes(_ hex: String) -> [UInt8] {
            stride(from: 0, to: hex.count, by: 2).map { Array(hex.utf8)[$0..<($0 + 2)] }
                .compactMap { UInt8(String(decoding: $0, as: UTF8.self), radix: 16) }
        }
        let begin = bytes("1f8b0800000000000203edc101010000008220ffaf6e484001")
        let end = bytes("af069ecb791240420f00")
        return begin + [UInt8](repeating: 0, count: 1_003 - begin.count - end.count) + end
    }()

    private static func bytes(_ base64: String) -> [UInt8] { Data(base64Encoded: base64).map { [UInt8]($0) } ?? [] }

    private func read(_ bytes: [UInt8], _ name: String = "a.tsv.gz") throws -> Dataset {
        let folder = try TemporaryFolder([name: Data(bytes)])
        return try Dataset(path: folder.path(name), labels: .required)
    }

    private func complaint(_ bytes: [UInt8]) -> String {
        (#expect(throws: DatasetError.self) { try read(bytes) })?.problem ?? ""
    }

    @Test func `one member, several and zeros behind them are unpacked`() throws {
        for packed in [Self.table, Self.members, Self.members + [0, 0, 0]] {
            #expect(try Gunzip.unpack(packed, limit: 100) == Array(Self.text.utf8))
            let rows = try read(packed)
            #expect(rows.texts == ["good film", "bad film"])
            #expect(rows.labels == [["1"], ["0"]])
        }
        #expect(try read(Self.table, "a.csv").count == 2)
    }

    @Test func `data that are cut anywhere are refused`() {
        // Without the first two bytes nothing says gzip, and after a whole member nothing is missing.
        for end in 2..<Self.members.count where end != 43 {
            let error = #expect(throws: Gunzip.Failure.self) {
                try Gunzip.unpack(Array(Self.members[..<end]), limit: 100)
            }
            #expect(error == .cut || error == .damaged("other bytes follow after its end"), "\(end)")
        }
        #expect(complaint(Array(Self.table.dropLast(3))).hasPrefix("is cut off"))
    }

    @Test func `each changed bit of data, checksum and length is noticed or changes nothing`() {
        for place in 10..<Self.table.count {
            for bit in 0..<8 {
                var changed = Self.table
                changed[place] ^= 1 << bit
                // Bits that no reader has to look at, behind the end of the deflated data.
                if let text = try? Gunzip.unpack(changed, limit: 100) { #expect(text == Array(Self.text.utf8)) }
            }
        }
        var wrong = Self.table
        wrong[wrong.count - 6] ^= 1
        #expect(complaint(wrong) == "is damaged gzip (incorrect data check): copy or download it again")
    }

    @Test func `what comes out has a limit`() throws {
        #expect(try Gunzip.unpack(Self.million, limit: 1_000_000).count == 1_000_000)
        #expect(throws: Gunzip.Failure.tooLong(limit: 999_999)) { try Gunzip.unpack(Self.million, limit: 999_999) }
        let bomb = Array([[UInt8]](repeating: Self.million, count: 100).joined())
        #expect(complaint(bomb).contains("bytes of gzip expand to more than"))
    }
}
