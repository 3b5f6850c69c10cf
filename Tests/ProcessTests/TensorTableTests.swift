import Testing
import Wording

@testable import ApusCommand

@Suite struct TensorTableTests {
    @Test func `tensors are aligned in name order with their sum below`() {
        let table = TensorTable(rows: [
            .init(name: "pooler.dense.weight", kind: "F32", shape: [384, 384], byteCount: 589_824),
            .init(name: "position_ids", kind: "BF16", shape: [], byteCount: 2),
            .init(name: "embeddings", kind: "F32", shape: [30522, 1], byteCount: 122_088),
        ])
        #expect(
            table.lines == [
                "embeddings           F32   (30,522, 1)",
                "pooler.dense.weight  F32   (384, 384)",
                "position_ids         BF16  ()",
                "3 tensors, 177,979 values, 711,914 bytes",
            ])
    }

    @Test func `nothing has a sum too`() {
        #expect(TensorTable(rows: []).lines == ["0 tensors, 0 values, 0 bytes"])
    }

    @Test(arguments: [
        (0, "0"), (7, "7"), (999, "999"), (1000, "1,000"), (123_456, "123,456"), (-1_234_567, "-1,234,567"),
    ])
    func `digits are in groups of three`(number: Int, text: String) {
        #expect(grouped(number) == text)
    }
}
