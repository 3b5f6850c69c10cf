internal import Transport
internal import Wording

/// Host and port of a TCP endpoint.
package struct HostAddress {
    package let host: String
    package let port: String

    /// - Returns: nil unless the endpoint is `tcp://HOST:PORT`.
    package init?(endpoint: String) {
        guard endpoint.hasPrefix("tcp://"), let colon = endpoint.lastIndex(of: ":") else { return nil }
        host = String(endpoint[endpoint.index(endpoint.startIndex, offsetBy: 6)..<colon])
        port = String(endpoint[endpoint.index(after: colon)...])
        guard !host.isEmpty, port == "*" || UInt16(port) != nil else { return nil }
    }

    /// Whether the host is written as an IPv6 number.
    var isIPv6: Bool { host.hasPrefix("[") }

    /// The address of this machine on the route to the host, in endpoint form; `*` for `*`.
    /// - Throws: ``InputError`` if the name is unknown.
    func localAddress() throws(InputError) -> String {
        if host == "*" || host == "0.0.0.0" || host == "[::]" { return "*" }
        guard TCPProbe.number(of: host) != nil else {
            throw InputError("the host \(host) is unknown: check the coordinator's address")
        }
        guard let address = TCPProbe.ownAddress(towards: host) else {
            throw InputError("no address of this machine leads to \(host): check the network")
        }
        return TCPProbe.bracketed(address)
    }
}
