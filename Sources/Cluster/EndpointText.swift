internal import Wording

/// An endpoint in the forms that users write: `tcp://host:port`, `host:port`, `[::1]:port`, or `ipc://path`.
package enum EndpointText {
    /// Why a text is not an endpoint, in one line.
    package struct Malformed: BadInput, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// - Parameter listens: whether this process listens there; then host and port may be `*`.
    /// - Returns: `tcp://HOST:PORT`, an IPv6 number in brackets, or `ipc://PATH`.
    package static func read(_ text: String, listens: Bool = false) throws(Malformed) -> String {
        func fail(_ problem: String) -> Malformed {
            Malformed(
                description:
                    "'\(text)' is not an endpoint: \(problem); write HOST:PORT, such as lab1:5701, 127.0.0.1:5701 or "
                    + "[::1]:5701"
            )
        }
        var rest = Substring(text)
        if let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") {
            let scheme = text[..<colon]
            rest = text[text.index(colon, offsetBy: 3)...]
            if scheme == "ipc" {
                guard !rest.isEmpty else { throw fail("ipc:// needs the path of a socket") }
                return text
            }
            guard scheme == "tcp" else { throw fail("\(scheme):// is neither tcp:// nor ipc://") }
        }
        guard let last = rest.lastIndex(of: ":"), !rest.hasSuffix("]") else { throw fail("it has no port") }
        let (host, port) = (rest[..<last], rest[rest.index(after: last)...])
        return "tcp://\(try self.host(host, listens, fail)):\(try self.port(port, listens, fail))"
    }

    private static func host(_ text: Substring, _ listens: Bool, _ fail: (String) -> Malformed) throws(Malformed)
        -> String
    {
        if text.isEmpty || text == "*" {
            guard listens else { throw fail("it has no host") }
            return "*"
        }
        if text.hasPrefix("[") {
            let number = text.dropFirst().dropLast()
            guard text.hasSuffix("]"), number.contains(":"),
                number.allSatisfy({ $0.isHexDigit || ".:%".contains($0) || $0.isLetter })
            else {
                throw fail("\(text) is not an IPv6 address in brackets")
            }
            return String(text)
        }
        guard !text.contains(":") else { throw fail("an IPv6 address before a port must be in brackets") }
        guard text.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) || "._-".contains($0) }) else {
            throw fail("\(text) has a character that host names cannot have")
        }
        return String(text)
    }

    private static func port(_ text: Substring, _ listens: Bool, _ fail: (String) -> Malformed) throws(Malformed)
        -> String
    {
        if listens, text == "*" || text == "0" { return "*" }
        guard let port = UInt16(text), port > 0 else {
            throw fail("\(text.isEmpty ? "it has no port" : "\(text) is not a port from 1 to 65535")")
        }
        return String(port)
    }
}
