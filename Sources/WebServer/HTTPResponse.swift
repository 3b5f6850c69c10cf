/// An answer: a whole body, or a stream of events that goes on.
package struct HTTPResponse: Equatable, Sendable {
    package var status: HTTPStatus
    package var type: String
    package var headers: [String]
    package var body: [UInt8]
    /// Whether the connection stays open for what ``WebServer/publish(_:)`` is given.
    package var isStream: Bool

    /// - Parameters:
    ///   - headers: whole lines, in addition to those that every answer has.
    ///   - isStream: whether `body` is only the beginning, of the type `text/event-stream`.
    package init(
        _ status: HTTPStatus = .ok, type: String = "text/plain; charset=utf-8", headers: [String] = [], body: String,
        isStream: Bool = false
    ) {
        self.status = status
        self.type = type
        self.headers = headers
        self.body = Array(body.utf8)
        self.isStream = isStream
    }

    /// A refusal whose body repeats the status.
    package init(refusing status: HTTPStatus, _ reason: String = "", headers: [String] = []) {
        self.init(
            status, headers: headers, body: "\(status.rawValue)\(reason.isEmpty ? "" : ": ")\(reason)\n")
    }

    /// Each connection carries one answer. Nothing is cached, framed, guessed or shared with another origin.
    package func bytes(withBody: Bool) -> [UInt8] {
        var lines = [
            "HTTP/1.1 \(status.rawValue)", "Content-Type: \(type)", "Connection: close", "Cache-Control: no-store",
            "X-Content-Type-Options: nosniff", "X-Frame-Options: DENY", "Referrer-Policy: no-referrer",
            "Cross-Origin-Resource-Policy: same-origin", "Cross-Origin-Opener-Policy: same-origin",
        ]
        if !isStream { lines.append("Content-Length: \(body.count)") }
        lines += headers
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + (withBody ? body : [])
    }
}
