internal import Foundation
internal import Testing

@testable internal import Configuration
@testable internal import Learning

@Suite struct EpochCountTests {
    @Test(arguments: [
        (EpochCount(1), 10, 10), (3, 7, 21), (0.5, 10, 5), (0.5, 7, 4), (1.5, 7, 11), (0.1, 30, 3), (0.001, 10, 1),
        (0.7, 10, 7), (2.000001, 10, 21),
    ])
    func `a part of a step is a step`(epochs: EpochCount, perEpoch: Int, steps: Int) {
        #expect(epochs.steps(perEpoch: perEpoch) == steps)
    }

    @Test(arguments: [("3", "3"), ("3.0", "3"), ("0.5", "0.5"), ("1e1", "10")])
    func `whole numbers are written as such`(given: String, written: String) throws {
        let epochs = try #require(EpochCount(.text(given)))
        #expect(epochs.value == .text(written))
        #expect(String(decoding: try JSONEncoder().encode([epochs]), as: UTF8.self) == "[\(written)]")
    }

    @Test func `epochs that are begun count whole`() {
        #expect(EpochCount(0.5).begun == 1)
        #expect(EpochCount(2).begun == 2)
        #expect(EpochCount(2.1).begun == 3)
    }

    @Test(arguments: [
        ("10", WarmupLength.steps(10), 10), ("0.1", .share(0.1), 10), ("0", .steps(0), 0), ("0.0", .steps(0), 0),
        ("5.0", .steps(5), 5), ("0.011", .share(0.011), 2),
    ])
    func `a warm-up below 1 is a share of the run's steps`(given: String, length: WarmupLength, steps: Int) throws {
        #expect(WarmupLength(.text(given)) == length)
        #expect(length.count(of: 100) == steps)
        #expect(try JSONDecoder().decode([WarmupLength].self, from: try JSONEncoder().encode([length])) == [length])
    }

    @Test(arguments: ["1.5", "-0.1", "nan", "inf", "many", ""])
    func `a warm-up that is neither is none`(given: String) { #expect(WarmupLength(.text(given)) == nil) }
}
