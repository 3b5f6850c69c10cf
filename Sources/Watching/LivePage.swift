internal import Files
internal import Reports
internal import Synchronization
internal import WebServer

/// Answers requests for a live page. Nothing of a run is told without the token.
final class LivePage: Sendable {
    private struct State {
        var feed = LiveFeed(contents: .null)
        var status: LiveStatus?
    }

    private let state = Mutex(State())
    private let token: WatchToken
    private let hosts: [String]
    private let title: String

    /// - Parameter hosts: names of this machine under which it may be asked for.
    init(title: String, token: WatchToken, hosts: [String]) {
        self.title = title
        self.token = token
        self.hosts = hosts
    }

    /// Takes over what there is now.
    /// - Returns: the event for those that have the earlier contents; nil if nothing has changed.
    func update(_ contents: JSONValue, _ status: LiveStatus?) -> String? {
        state.withLock { state in
            state.status = status
            return state.feed.update(contents)
        }
    }

    func answer(_ request: HTTPRequest) -> HTTPResponse {
        guard HostHeader.isAllowed(request.headers["host"], own: hosts) else {
            return HTTPResponse(
                refusing: .misdirected, "ask for this page by localhost, a number, or this machine's name")
        }
        switch request.path {
        case "/health": return HTTPResponse(body: "ok\n")
        case "/favicon.ico": return HTTPResponse(.noContent, body: "")
        default: break
        }
        guard let given = Self.token(of: request) else {
            return HTTPResponse(
                refusing: .unauthorized, "use the whole address that was printed at the start, with its token",
                headers: ["WWW-Authenticate: Bearer"])
        }
        guard token.isEqual(given) else {
            return HTTPResponse(refusing: .forbidden, "this is not the token that was printed at the start")
        }
        switch request.path {
        case "/":
            return HTTPResponse(type: "text/html; charset=utf-8", headers: [Self.policy], body: Self.html(title))
        case "/events":
            let full = state.withLock { $0.feed.contents == .null ? "" : $0.feed.full }
            return HTTPResponse(type: "text/event-stream", body: "retry: 1000\n\n\(full)", isStream: true)
        case "/metrics":
            let text = state.withLock { PrometheusText.text($0.status) }
            return HTTPResponse(type: "text/plain; version=0.0.4; charset=utf-8", body: text)
        default: return HTTPResponse(refusing: .notFound, "there are /, /events, /metrics and /health")
        }
    }

    private static func token(of request: HTTPRequest) -> String? {
        if let token = request.query["token"] { return token }
        guard let header = request.headers["authorization"], header.hasPrefix("Bearer ") else { return nil }
        return String(header.dropFirst(7))
    }

    private static let policy =
        "Content-Security-Policy: "
        + ReportPage.policy(script: LiveScript.text, and: "connect-src 'self'; frame-ancestors 'none'; ")

    /// The page before its first event.
    static func html(_ title: String) -> String {
        """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(ReportPage.escaped(ReportText.shown(title)))</title>
        <style>\(ReportStyle.text)</style></head>
        <body><p id="lost" class="soft" role="status" hidden></p><main id="page"></main>
        <script>\(LiveScript.text)</script></body></html>

        """
    }
}
