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
            let shape = "(\(row.shape.map(Self.grouped).joined(separator: ", ")))"
            return "\(Self.padded(row.name, nameWidth))  \(Self.padded(row.kind, kindWidth))  \(shape)"
        }
        return table + [sum]
    }

    private var sum: String {
        let elements = rows.reduce(0) { $0 + $1.elementCount }
        let bytes = rows.reduce(0) { $0 + $1.byteCount }
        let tensors = rows.count == 1 ? "1 tensor" : "\(Self.grouped(rows.count)) tensors"
        return "\(tensors), \(Self.grouped(elements)) values, \(Self.grouped(bytes)) bytes"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: width - text.count)
    }

    /// Digits in groups of three: "30,522".
    static func grouped(_ number: Int) -> String {
        let digits = String(number.magnitude)
        let head = digits.count % 3
        var groups = head > 0 ? [String(digits.prefix(head))] : []
        var rest = digits.dropFirst(head)
        while !rest.isEmpty {
            groups.append(String(rest.prefix(3)))
            rest = rest.dropFirst(3)
        }
        return (number < 0 ? "-" : "") + groups.joined(separator: ",")
    }
}
