internal import Foundation

/// An address on the web without user, password or characters that need quotes.
struct HubAddress: Equatable, Sendable {
    private let url: URL
    let isEncrypted: Bool
    /// Scheme, host and port: what a token may be sent to.
    let origin: String

    /// Nil for anything but an absolute address of http or https.
    init?(_ text: String) { self.init(text, relativeTo: nil) }

    private init?(_ text: String, relativeTo base: URL?) {
        guard (1...8_192).contains(text.utf8.count), text.utf8.allSatisfy(Self.isAllowed),
            let url = URL(string: text, relativeTo: base)?.absoluteURL, let scheme = url.scheme?.lowercased(),
            ["http", "https"].contains(scheme), let host = url.host()?.lowercased(), !host.isEmpty, url.user() == nil,
            url.password() == nil
        else { return nil }
        self.url = url
        isEncrypted = scheme == "https"
        let usual = isEncrypted ? 443 : 80
        origin = "\(scheme)://\(host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host):\(url.port ?? usual)"
    }

    /// The whole address, as it is asked for.
    var text: String { url.absoluteString }

    /// For people: without query, which may hold a signature.
    var shown: String {
        let port = url.port.map { ":\($0)" } ?? ""
        return "\(isEncrypted ? "https" : "http")://\(url.host() ?? "")\(port)\(url.path())"
    }

    /// Host and port for people.
    var host: String { (url.host() ?? "") + (url.port.map { ":\($0)" } ?? "") }

    var hasQuery: Bool { url.query() != nil || url.fragment() != nil }

    /// Visible ASCII without what a configuration of curl quotes.
    private static func isAllowed(_ byte: UInt8) -> Bool {
        (0x21...0x7E).contains(byte) && !"\"\\<>^`{|}".utf8.contains(byte)
    }

    /// A path of checked parts below this address.
    func below(_ path: String) -> HubAddress? {
        HubAddress(text.hasSuffix("/") ? text + path : "\(text)/\(path)")
    }

    /// Where a redirect leads.
    /// - Throws: ``HubError`` for a place that is not an address, and for one without encryption after one with.
    func redirected(to location: String) throws(HubError) -> HubAddress {
        guard let next = HubAddress(location, relativeTo: url) else {
            throw HubError("\(shown): redirects to what is not an address of http or https: check HF_ENDPOINT")
        }
        guard next.isEncrypted || !isEncrypted else {
            throw HubError("\(shown): redirects from https to \(next.shown), which is not encrypted: check HF_ENDPOINT")
        }
        return next
    }
}
