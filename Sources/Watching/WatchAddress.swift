internal import Transport
internal import Wording

/// Where a page is served: a host of this machine and a port.
struct WatchAddress: Equatable {
    let host: String
    /// 0: a free one.
    let port: UInt16

    /// Loopback, at a free port.
    static let usual = WatchAddress(host: "127.0.0.1", port: 0)

    private init(host: String, port: UInt16) { (self.host, self.port) = (host, port) }

    /// - Parameter text: `HOST:PORT`, or only a port of loopback. IPv6 numbers are in brackets.
    /// - Throws: ``InputError``
    init(_ text: String) throws(InputError) {
        if let port = UInt16(text) {
            self.init(host: Self.usual.host, port: port)
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
            colon > text.startIndex,
            !text[..<colon].contains(":") || text.hasPrefix("[") && text[..<colon].hasSuffix("]")
        else {
            throw InputError(
                "--address is \(text): expected HOST:PORT or a port, such as 127.0.0.1:8080, [::1]:8080 or 8080")
        }
        self.init(host: String(text[..<colon]), port: port)
    }

    var isLoopback: Bool { TCPProbe.isLoopback(host) }
}

/// Whether a request was meant for this page, by its header `Host`.
///
/// A page of another site can make a browser send requests here under that site's own name, once its name leads here
/// (DNS rebinding). A number cannot be led elsewhere.
enum HostHeader {
    /// - Parameter own: names of this machine.
    static func isAllowed(_ value: String?, own: [String]) -> Bool {
        guard var host = value?.lowercased(), !host.isEmpty else { return false }
        if let colon = host.lastIndex(of: ":"), !host.hasSuffix("]") {
            guard UInt16(host[host.index(after: colon)...]) != nil else { return false }
            host = String(host[..<colon])
        }
        if host == "localhost" || own.contains(where: { $0.lowercased() == host }) { return true }
        if host.hasPrefix("["), host.hasSuffix("]") {
            let number = host.dropFirst().dropLast()
            return number.contains(":") && number.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
        }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }
}
