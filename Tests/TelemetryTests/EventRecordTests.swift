import Foundation
import Testing

@testable import Telemetry

/// The frozen bytes are those that TensorBoard's own Python package writes for the same messages.
@Suite struct EventRecordTests {
    @Test func `check sums are those of Castagnoli's polynomial`() {
        // Source: RFC 3720, B.4.
        #expect(CRC32C.of([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.of([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.of(Array(0..<32)) == 0x46DD_794E)
        #expect(CRC32C.of(Array("123456789".utf8)) == 0xE306_9283)
    }

    @Test func `records have the bytes that readers of the format expect`() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures/tensorboard")
        let records: [(String, EventRecord)] = [
            ("version", .version(seconds: 1_700_000_000.5)), ("start", .start(step: 300, seconds: 1_700_000_001)),
            (
                "scalars",
                .summary(
                    [
                        .scalar("train/loss", 0.693147), .scalar("validation/accuracy", 0.86),
                        .scalar("train/gradient_norm", .infinity),
                    ],
                    step: 70_000, seconds: 1_700_000_002)
            ),
            (
                "text",
                .summary(
                    [.text("configuration/text_summary", "    model: größer\n    epochs: 3\n")], step: 0,
                    seconds: 1_700_000_003)
            ),
        ]
        for (name, record) in records {
            let expected = try Data(contentsOf: folder.appending(path: "\(name).tfrecord"))
            #expect(Data(record.bytes) == expected, "\(name)")
        }
    }
}
