import Foundation
import Testing

/// The points of a run's TensorBoard files, read as TensorBoard reads them.
struct EventFiles {
    struct Point: Equatable {
        let tag: String
        let step: Int
        let value: Float
    }

    private(set) var points: [Point] = []
    private(set) var texts: [String] = []

    /// Files in the order of their names; a START invalidates points from its step on.
    init(_ folder: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() where name.contains("tfevents")
        {
            var rest = ArraySlice(Array(try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))))
            while rest.count >= 12 {
                let length = Int(Self.number(rest.prefix(8)))
                try #require(rest.count >= length + 16, "a record of \(name) is torn")
                try read(rest.dropFirst(12).prefix(length))
                rest = rest.dropFirst(length + 16)
            }
        }
    }

    func values(_ tag: String) -> [Point] { points.filter { $0.tag == tag } }

    private mutating func read(_ event: ArraySlice<UInt8>) throws {
        let fields = try Self.fields(event)
        let step = fields.first { $0.number == 2 }.map { Int($0.value) } ?? 0
        for field in fields where field.number == 7 {
            if try Self.fields(field.bytes).contains(where: { $0.number == 1 && $0.value == 1 }) {
                points.removeAll { $0.step >= step }
            }
        }
        for summary in fields where summary.number == 5 {
            for value in try Self.fields(summary.bytes) {
                let members = try Self.fields(value.bytes)
                let tag = members.first { $0.number == 1 }.map { String(decoding: $0.bytes, as: UTF8.self) } ?? ""
                if let scalar = members.first(where: { $0.number == 2 }) {
                    points.append(Point(tag: tag, step: step, value: Float(bitPattern: UInt32(scalar.value))))
                } else {
                    texts.append(tag)
                }
            }
        }
    }

    private struct Field {
        var number: UInt64
        var value: UInt64 = 0
        var bytes: ArraySlice<UInt8> = []
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func fields(_ message: ArraySlice<UInt8>) throws -> [Field] {
        var (rest, fields) = (message, [Field]())
        func varint() -> UInt64 {
            var (value, shift) = (UInt64(0), UInt64(0))
            while let byte = rest.popFirst() {
                value |= UInt64(byte & 0x7F) << shift
                shift += 7
                if byte < 0x80 { break }
            }
            return value
        }
        while !rest.isEmpty {
            let key = varint()
            var field = Field(number: key >> 3)
            switch key & 7 {
            case 0: field.value = varint()
            case 1:
                field.value = number(rest.prefix(8))
                rest = rest.dropFirst(8)
            case 5:
                field.value = number(rest.prefix(4))
                rest = rest.dropFirst(4)
            default:
                let count = Int(varint())
                field.bytes = rest.prefix(count)
                rest = rest.dropFirst(count)
            }
            fields.append(field)
        }
        return fields
    }
}
