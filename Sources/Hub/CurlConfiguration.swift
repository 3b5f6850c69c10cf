/// What the system's `curl` is told on its standard input, so that neither address nor token is in its arguments.
struct CurlConfiguration: Equatable, Sendable {
    enum Method: Equatable, Sendable { case head, get }

    let method: Method
    let address: HubAddress
    let token: String?
    /// First byte to ask for.
    var start = 0

    /// Arguments: no file of the user's is read but the standard input.
    static let arguments = ["--disable", "--config", "-"]

    /// Seconds within which a connection must be established, and seconds without a byte after which one counts as
    /// broken.
    static let (connectSeconds, silentSeconds) = (10, 20)

    /// One option a line, as `man curl` describes under `--config`. Redirects are not followed: see ``HubClient``.
    var text: String {
        var lines = [
            "silent", "show-error", "globoff", "path-as-is", "suppress-connect-headers", "proto = \"=http,https\"",
            "connect-timeout = \(Self.connectSeconds)", "speed-limit = 1", "speed-time = \(Self.silentSeconds)",
            "user-agent = \"apus\"", "header = \"Accept-Encoding: identity\"", method == .head ? "head" : "include",
        ]
        if method == .head { lines.append("max-time = \(Self.silentSeconds)") }
        if let token { lines.append("header = \"Authorization: Bearer \(token)\"") }
        if start > 0 { lines.append("header = \"Range: bytes=\(start)-\"") }
        lines.append("url = \"\(address.text)\"")
        return lines.joined(separator: "\n") + "\n"
    }
}
