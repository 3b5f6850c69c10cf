internal import Wording

/// The tensors of a file or folder as aligned lines, in name order, with their sum below.
struct TensorTable {
    struct Row: Equatable {
        let name: String
        /// As the file names it: "F32".
        let kind: String
        let shape: [Int]
        let byteCount: Int

        /// 1 for a scalar.
        var elementCount: Int { shape.reduce(1, *) }
    }

    let rows: [Row]

    var lines: [String] {
        let sorted = rows.sorted { $0.name < $1.name }
        let nameWidth = sorted.map(\.name.count).max() ?? 0
        let kindWidth = sorted.map(\.kind.count).max() ?? 0
        let table = sorted.map { row in
            let shape = "(\(row.shape.map(grouped).joined(separator: ", ")))"
            return "\(Self.padded(row.name, nameWidth))  \(Self.padded(row.kind, kindWidth))  \(shape)"
        }
        return table + [sum]
    }

    private var sum: String {
        let elements = rows.reduce(0) { $0 + $1.elementCount }
        let bytes = rows.reduce(0) { $0 + $1.byteCount }
        let tensors = rows.count == 1 ? "1 tensor" : "\(grouped(rows.count)) tensors"
        return "\(tensors), \(grouped(elements)) values, \(grouped(bytes)) bytes"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: width - text.count)
    }
}
