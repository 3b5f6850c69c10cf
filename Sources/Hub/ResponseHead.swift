/// Status and headers of an answer of HTTP.
package struct ResponseHead: Equatable, Sendable {
    package let status: Int
    private let fields: [String: String]

    init(status: Int, fields: [String: String] = [:]) {
        self.status = status
        self.fields = fields
    }

    /// A header by its name in small letters.
    package subscript(_ name: String) -> String? { fields[name] }

    var isRedirect: Bool { [301, 302, 303, 307, 308].contains(status) && fields["location"] != nil }

    /// Bytes of the body, if the answer says so.
    package var length: Int? { Self.count(fields["content-length"]) }

    /// Bytes of the whole file that a hub's link stands for.
    var linkedLength: Int? { Self.count(fields["x-linked-size"]) }

    /// Seconds that the server asks to wait.
    package var retryAfter: Int? {
        if let seconds = Self.count(fields["retry-after"]) { return seconds }
        // Such as "api";r=0;t=55.
        return (fields["ratelimit"] ?? "").split(separator: ";").first { $0.hasPrefix("t=") }
            .flatMap { Self.count(String($0.dropFirst(2))) }
    }

    /// First byte and size of the whole file, of an answer with a part; the size is absent if it says `*`.
    package var range: (start: Int, whole: Int?)? {
        guard let match = (fields["content-range"] ?? "").wholeMatch(of: /bytes ([0-9]+)-[0-9]+\/([0-9]+|\*)/),
            let start = Self.count(String(match.1))
        else { return nil }
        return (start, Self.count(String(match.2)))
    }

    private static func count(_ text: String?) -> Int? {
        guard let text, (1...15).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }
}

/// Cuts the heads of answers from the bytes that precede a body.
package struct ResponseHeadReader {
    private var bytes: [UInt8] = []

    /// Longest head in bytes.
    static let limit = 64 << 10

    /// What the bytes so far are.
    package enum Step: Equatable {
        /// The head is not complete.
        case more
        /// The head, and the first bytes of the body.
        case head(ResponseHead, rest: [UInt8])
        /// Not an answer of HTTP.
        case malformed
    }

    package init() {}

    package mutating func take(_ chunk: [UInt8]) -> Step {
        bytes += chunk
        while let end = Self.endOfHead(bytes) {
            guard end.body <= Self.limit, let head = Self.parse(bytes[..<end.lines]) else { return .malformed }
            bytes.removeFirst(end.body)
            if (100..<200).contains(head.status) { continue }  // another head follows
            return .head(head, rest: bytes)
        }
        return bytes.count > Self.limit ? .malformed : .more
    }

    /// Where the lines of the head end, and where what follows begins.
    private static func endOfHead(_ bytes: [UInt8]) -> (lines: Int, body: Int)? {
        let (feed, carriage) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
        var start = 0
        while let end = bytes[start...].firstIndex(of: feed) {
            if end == start || (end == start + 1 && bytes[start] == carriage) { return (start, end + 1) }
            start = end + 1
        }
        return nil
    }

    private static func parse(_ bytes: ArraySlice<UInt8>) -> ResponseHead? {
        let lines = bytes.split(separator: UInt8(ascii: "\n")).map { line in
            String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
        }
        guard let first = lines.first, let match = first.prefixMatch(of: /HTTP\/[0-9.]+ ([1-5][0-9][0-9])(?: |$)/),
            let status = Int(match.1)
        else { return nil }
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            fields[line[..<colon].lowercased()] = String(value.prefix { $0 != "\r" })
        }
        return ResponseHead(status: status, fields: fields)
    }
}
