/// A JSON document that keeps the order of its keys, and integers of up to 64 bits exactly.
package enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// A key of an object and its value.
    package struct Member: Equatable, Sendable {
        package var key: String
        package var value: JSONValue

        package init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// The value of a key; nil if it is missing or this is not an object.
    package subscript(key: String) -> JSONValue? {
        get {
            guard case .object(let members) = self else { return nil }
            return members.first { $0.key == key }?.value
        }
        set {
            guard case .object(var members) = self else { return }
            let place = members.firstIndex { $0.key == key }
            switch (place, newValue) {
            case (let place?, let value?): members[place].value = value
            case (let place?, nil): members.remove(at: place)
            case (nil, let value?): members.append(Member(key, value))
            case (nil, nil): break
            }
            self = .object(members)
        }
    }

    package var members: [Member]? {
        if case .object(let members) = self { return members }
        return nil
    }

    package var array: [JSONValue]? {
        if case .array(let values) = self { return values }
        return nil
    }

    package var string: String? {
        if case .string(let text) = self { return text }
        return nil
    }

    package var integer: Int? {
        if case .integer(let value) = self { return value }
        return nil
    }

    package var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    package var bool: Bool? {
        if case .bool(let value) = self { return value }
        return nil
    }
}

extension JSONValue {
    /// A number with the digits that tell this `Float` from its neighbours, and no more.
    package static func float(_ value: Float) -> JSONValue { .number(Double(value.description) ?? Double(value)) }

    /// The document as text, two spaces per level, keys in order.
    package var text: String {
        var out = ""
        write(to: &out, indent: 0)
        return out + "\n"
    }

    /// The document on one line.
    package var line: String {
        var out = ""
        write(to: &out, indent: nil)
        return out
    }

    private func write(to out: inout String, indent: Int?) {
        switch self {
        case .null: out += "null"
        case .bool(let value): out += value ? "true" : "false"
        case .integer(let value): out += String(value)
        case .number(let value): out += value.isFinite ? "\(value)" : "null"
        case .string(let text): Self.quote(text, to: &out)
        case .array(let values):
            Self.list(values.count, "[", "]", to: &out, indent) { place, out, deeper in
                values[place].write(to: &out, indent: deeper)
            }
        case .object(let members):
            Self.list(members.count, "{", "}", to: &out, indent) { place, out, deeper in
                Self.quote(members[place].key, to: &out)
                out += indent == nil ? ":" : ": "
                members[place].value.write(to: &out, indent: deeper)
            }
        }
    }

    private static func list(
        _ count: Int, _ open: String, _ close: String, to out: inout String, _ indent: Int?,
        _ element: (Int, inout String, Int?) -> Void
    ) {
        out += open
        for place in 0..<count {
            if place > 0 { out += "," }
            if let indent { out += "\n" + String(repeating: "  ", count: indent + 1) }
            element(place, &out, indent.map { $0 + 1 })
        }
        if let indent, count > 0 { out += "\n" + String(repeating: "  ", count: indent) }
        out += close
    }

    private static func quote(_ text: String, to out: inout String) {
        out += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        out += "\""
    }
}
