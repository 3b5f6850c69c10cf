/// The head of a request of HTTP/1.1. A request with a body is refused: no page here takes one.
package struct HTTPRequest: Equatable, Sendable {
    package let method: String
    /// Without the query, as it was sent.
    package let path: String
    /// Names and values as they were sent.
    package let query: [String: String]
    /// By lowercase name.
    package let headers: [String: String]

    /// What the first bytes of a connection are.
    package enum Reading: Equatable, Sendable {
        case incomplete
        case whole(HTTPRequest)
        case refused(HTTPStatus)
    }

    /// The longest head that is read.
    package static let mostBytes = 16 << 10

    package static func reading(_ bytes: [UInt8]) -> Reading {
        let ending: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A]
        guard let end = bytes.prefix(mostBytes).firstRange(of: ending) else {
            return bytes.count >= mostBytes ? .refused(.headTooLarge) : .incomplete
        }
        guard let head = String(validating: bytes[..<end.lowerBound], as: UTF8.self) else { return .refused(.bad) }
        // By scalars: a carriage return and a line feed are one character.
        let scalars = Array(head.unicodeScalars)
        guard scalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F || $0 == "\r" || $0 == "\n" || $0 == "\t" })
        else { return .refused(.bad) }
        let lines = scalars.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            String(String.UnicodeScalarView(line.last == "\r" ? line.dropLast() : line))
        }
        do throws(HTTPStatus) {
            return .whole(try HTTPRequest(lines))
        } catch {
            return .refused(error)
        }
    }

    private init(_ lines: [String]) throws(HTTPStatus) {
        let words = lines[0].split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard words.count == 3, words[2].hasPrefix("HTTP/"), words[1].hasPrefix("/") else { throw .bad }
        guard words[2] == "HTTP/1.1" || words[2] == "HTTP/1.0" else { throw .versionUnknown }
        method = words[0]
        let target = words[1].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        path = target[0]
        var query: [String: String] = [:]
        for pair in (target.count > 1 ? target[1] : "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            query[parts[0]] = parts.count > 1 ? parts[1] : ""
        }
        self.query = query
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":"), colon > line.startIndex else { throw .bad }
            let name = line[..<colon].lowercased()
            guard !name.contains(" "), !name.contains("\t"), headers[name] == nil || name != "host" else { throw .bad }
            headers[name] = String(line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" })
        }
        self.headers = headers
        guard headers["transfer-encoding"] == nil, (headers["content-length"] ?? "0") == "0" else { throw .bad }
    }
}

/// The answers' status lines.
package enum HTTPStatus: String, Error, Equatable, Sendable {
    case ok = "200 OK"
    case noContent = "204 No Content"
    case bad = "400 Bad Request"
    case unauthorized = "401 Unauthorized"
    case forbidden = "403 Forbidden"
    case notFound = "404 Not Found"
    case methodNotAllowed = "405 Method Not Allowed"
    case tooSlow = "408 Request Timeout"
    case misdirected = "421 Misdirected Request"
    case headTooLarge = "431 Request Header Fields Too Large"
    case tooMany = "503 Service Unavailable"
    case versionUnknown = "505 HTTP Version Not Supported"
}
