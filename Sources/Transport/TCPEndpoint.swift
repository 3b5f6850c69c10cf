/// Host and port in an endpoint of the form `tcp://HOST:PORT`.
struct TCPEndpoint {
    /// A name or a number; IPv6 numbers are in brackets.
    let host: String
    let port: UInt16

    /// - Returns: nil for other forms.
    init?(_ endpoint: String) {
        guard endpoint.hasPrefix("tcp://"), let colon = endpoint.lastIndex(of: ":"),
            let port = UInt16(endpoint[endpoint.index(after: colon)...])
        else { return nil }
        let start = endpoint.index(endpoint.startIndex, offsetBy: 6)
        guard start < colon else { return nil }
        host = String(endpoint[start..<colon])
        self.port = port
    }

    /// Its address; nil if the host is a name.
    var address: SocketAddress? { SocketAddress(number: host, port: port) }
}
