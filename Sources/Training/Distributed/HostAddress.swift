internal import Foundation

/// Host and port of a TCP endpoint.
struct HostAddress {
    let host: String
    let port: String

    /// - Returns: nil unless the endpoint is `tcp://HOST:PORT`.
    init?(endpoint: String) {
        guard endpoint.hasPrefix("tcp://"), let colon = endpoint.lastIndex(of: ":") else { return nil }
        host = String(endpoint[endpoint.index(endpoint.startIndex, offsetBy: 6)..<colon])
        port = String(endpoint[endpoint.index(after: colon)...])
        guard !host.isEmpty, UInt16(port) != nil else { return nil }
    }

    /// The address of this machine from which packets to the host leave.
    /// - Throws: ``InputError`` where the name is unknown.
    func localAddress() throws(InputError) -> String {
        if host == "*" || host == "0.0.0.0" { return "127.0.0.1" }
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_INET
        unsafe hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, port, &hints, &found) == 0, let address = unsafe found else {
            throw InputError("the host \(host) is unknown: check the coordinator's address")
        }
        defer { unsafe freeaddrinfo(found) }
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(descriptor) }
        // Connecting a datagram socket sends nothing; it only chooses the route.
        guard descriptor >= 0, unsafe connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 else {
            throw InputError("no route to \(host): check the network")
        }
        var own = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe withUnsafeMutablePointer(to: &own) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(descriptor, $0, &length) }
        }
        guard result == 0 else { throw InputError("no address of this machine leads to \(host): check the network") }
        let number = UInt32(bigEndian: own.sin_addr.s_addr)
        return [24, 16, 8, 0].map { String(number >> $0 & 0xFF) }.joined(separator: ".")
    }
}
