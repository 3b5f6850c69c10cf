internal import Glibc

/// TCP checks of this machine and of routes to others: for use before a run, not for its links.
///
/// Hosts are names or numbers; IPv6 numbers may be in brackets.
package enum TCPProbe {
    /// A port that accepts and closes connections until this value is released.
    package struct Listener: ~Copyable {
        private let descriptor: Int32
        package let port: UInt16

        /// Listens at an address of this machine; port 0 chooses a free one.
        /// - Parameter accepts: whether it accepts connections. If not, the port is only reserved: a peer that already
        ///   dials it is refused as before, and not disconnected.
        /// - Throws: ``ZeroMQError`` with the operating system's code.
        package init(address: String, port: UInt16, accepts: Bool = true) throws(ZeroMQError) {
            let operation = "listening at \(TCPProbe.bracketed(address)):\(port)"
            guard let place = SocketAddress(address, port: port) else {
                throw ZeroMQError(operation: operation, code: EADDRNOTAVAIL)
            }
            let opened = socket(place.family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            var one: Int32 = 1
            _ = unsafe setsockopt(opened, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
            guard unsafe place.withPointer({ unsafe bind(opened, $0, $1) }) == 0, !accepts || listen(opened, 64) == 0,
                let own = SocketAddress(ownOf: opened)
            else {
                let code = errno
                _ = close(opened)
                throw ZeroMQError(operation: operation, code: code)
            }
            descriptor = opened
            self.port = own.port
        }

        deinit { _ = close(descriptor) }
    }

    /// Tries to connect.
    /// - Returns: nil on success, otherwise the reason.
    package static func failureToReach(_ host: String, port: UInt16, within limit: Duration) -> String? {
        guard let place = SocketAddress(host, port: port) else { return "the name \(host) is unknown there" }
        let descriptor = socket(
            place.family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return systemReason() }
        defer { _ = close(descriptor) }
        if unsafe place.withPointer({ unsafe connect(descriptor, $0, $1) }) == 0 { return nil }
        guard errno == EINPROGRESS else { return systemReason() }
        var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard unsafe poll(&waiting, 1, limit.milliseconds) == 1 else { return "no answer: a firewall may drop it" }
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        _ = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
        return code == 0 ? nil : systemReason(code)
    }

    /// The address of a name, IPv4 if it has both; nil if it is unknown.
    package static func number(of host: String) -> String? { SocketAddress(host, port: 0)?.host }

    /// Whether a host's name or number means the machine that reads it (loopback). False for unknown names.
    package static func isLoopback(_ host: String) -> Bool { SocketAddress(host, port: 0)?.isLoopback ?? false }

    /// Whether a host's name or number leads every machine to itself. False for unknown names.
    package static func meansReader(_ host: String) -> Bool { SocketAddress(host, port: 0)?.meansReader ?? false }

    /// Whether it is a number, in any form that the system reads: 127.1 is one.
    package static func isNumber(_ host: String) -> Bool { SocketAddress(number: host, port: 0) != nil }

    /// Whether a host's name or number is an address of this machine; nil for unknown names.
    package static func isOwn(_ host: String) -> Bool? {
        guard let place = SocketAddress(host, port: 0) else { return nil }
        return place.isLoopback || interfaces.contains { $0.address == place.host }
    }

    /// The address of this machine on the route to `host`; nil if there is none.
    package static func ownAddress(towards host: String) -> String? {
        guard let place = SocketAddress(host, port: 9) else { return nil }
        let descriptor = socket(place.family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { _ = close(descriptor) }
        // Connecting a datagram socket sends nothing; it only chooses the route.
        guard unsafe place.withPointer({ unsafe connect(descriptor, $0, $1) }) == 0 else { return nil }
        return SocketAddress(ownOf: descriptor)?.host
    }

    /// The addresses of the network interfaces, those of IPv4 first.
    package static var interfaces: [(name: String, address: String, isIPv6: Bool)] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&list) == 0 else { return [] }
        defer { unsafe freeifaddrs(list) }
        var found: [(name: String, address: String, isIPv6: Bool)] = []
        var next = unsafe list
        while let entry = unsafe next {
            if let address = unsafe entry.pointee.ifa_addr, let place = unsafe SocketAddress(copying: address) {
                found.append((unsafe String(cString: entry.pointee.ifa_name), place.host, place.family == AF_INET6))
            }
            unsafe next = entry.pointee.ifa_next
        }
        return found.filter { !$0.isIPv6 } + found.filter(\.isIPv6)
    }

    /// A host as written in an endpoint: IPv6 numbers in brackets.
    package static func bracketed(_ host: String) -> String {
        host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
    }

    /// Whether libzmq must look for an IPv6 address at `endpoint`: if allowed, it takes the first of that family.
    static func needsIPv6(_ endpoint: String) -> Bool {
        guard let named = TCPEndpoint(endpoint), let place = SocketAddress(named.host, port: 0) else { return true }
        return place.family == AF_INET6
    }
}
