internal import Foundation

/// Requests to one hub: redirects by hand, the token only where it belongs, and again after a pause where that helps.
struct HubClient {
    let endpoint: HubAddress
    let token: String?
    let watch: DownloadWatch
    /// Waits for as many seconds.
    let wait: (Int) -> Void

    static let mostRedirects = 5

    init(_ settings: HubSettings, _ watch: DownloadWatch, wait: @escaping (Int) -> Void) throws(HubError) {
        endpoint = settings.endpoint
        token = try settings.token()
        self.watch = watch
        self.wait = wait
    }

    /// The head of a file's answer on the hub itself: a redirect that carries the file's hash is the end.
    /// - Returns: the last head, and the heads before it.
    func head(_ path: String) throws(HubError) -> [ResponseHead] {
        var patience = Patience()
        while true {
            var heads: [ResponseHead] = []
            let end = try follow(
                .head, path, from: 0,
                onHead: { (head) throws(HubError) in
                    heads.append(head)
                    return false
                }, onBody: { (_) throws(HubError) in })
            switch end {
            case .complete(let head) where Self.isBusy(head):
                try rest(patience.pause(after: .busy(seconds: head.retryAfter)), head)
            case .complete: return heads
            case .unreachable(let reason): throw unreachable(reason)
            case .malformed: throw malformed
            case .broken(let reason, _):
                guard let pause = patience.pause(after: .broken(after: 0)) else { throw unreachable(reason) }
                wait(pause)
            }
        }
    }

    /// Follows redirects, at most five.
    ///
    /// - Parameter onHead: takes each head that leads to no other address.
    func follow(
        _ method: CurlConfiguration.Method, _ path: String, from start: Int,
        onHead: (ResponseHead) throws(HubError) -> Bool, onBody: ([UInt8]) throws(HubError) -> Void
    ) throws(HubError) -> CurlTransfer.End {
        guard var address = endpoint.below(path) else { throw HubError("\(path): is not part of an address") }
        for _ in 0...Self.mostRedirects {
            let request = CurlConfiguration(
                method: method, address: address, token: address.origin == endpoint.origin ? token : nil, start: start)
            let end = try CurlTransfer.run(
                request,
                onHead: { (head) throws(HubError) in
                    Self.leads(head, method) ? false : try onHead(head)
                }, onBody: onBody)
            guard case .complete(let head) = end, Self.leads(head, method), let location = head["location"] else {
                return end
            }
            // What the first answers say of the file holds although another address delivers it.
            if method == .head { _ = try onHead(head) }
            address = try address.redirected(to: location)
        }
        throw HubError("\(endpoint.shown): more than \(Self.mostRedirects) redirects for \(path): check HF_ENDPOINT")
    }

    /// Whether an answer leads to another address. Where only the file's hash is wanted, one that tells it does not.
    private static func leads(_ head: ResponseHead, _ method: CurlConfiguration.Method) -> Bool {
        head.isRedirect && !(method == .head && head["x-linked-etag"] != nil)
    }

    static func isBusy(_ head: ResponseHead) -> Bool { head.status == 429 || (500...599).contains(head.status) }

    /// Waits before the next attempt.
    /// - Throws: ``HubError`` if there is none.
    func rest(_ seconds: Int?, _ head: ResponseHead) throws(HubError) {
        guard let seconds else {
            let asked = head.retryAfter.map { " and asks to wait \($0) s" } ?? ""
            throw HubError(
                .unreachable,
                head.status == 429
                    ? "\(endpoint.host) has too many requests from here (status 429)\(asked): try later"
                    : "\(endpoint.host) answers with status \(head.status)\(asked): try later")
        }
        watch.says("\(endpoint.host) answers with status \(head.status): again in \(seconds) s")
        wait(seconds)
    }

    func unreachable(_ reason: String) -> HubError {
        HubError(.unreachable, "\(endpoint.host) cannot be reached (\(reason))")
    }

    var malformed: HubError {
        HubError("\(endpoint.shown): its answer is not one of HTTP: check HF_ENDPOINT and the proxy")
    }
}

/// What is told of a download while it runs.
package struct DownloadWatch {
    /// A file begins: its name, its size in bytes.
    package var begins: (_ file: String, _ size: Int) -> Void
    /// More bytes are there.
    package var advances: (_ count: Int) -> Void
    /// The file is complete, or its download has failed.
    package var ends: () -> Void
    /// A line for people.
    package var says: (_ line: String) -> Void

    package init(
        begins: @escaping (String, Int) -> Void = { _, _ in }, advances: @escaping (Int) -> Void = { _ in },
        ends: @escaping () -> Void = {}, says: @escaping (String) -> Void = { _ in }
    ) {
        self.begins = begins
        self.advances = advances
        self.ends = ends
        self.says = says
    }
}
