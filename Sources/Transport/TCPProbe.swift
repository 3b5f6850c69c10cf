internal import Glibc

/// What plain TCP says of this machine and of the way to others: for checks before a run, not for its links.
package enum TCPProbe {
    /// A port that accepts connections, and hangs up, until it is dropped.
    package struct Listener: ~Copyable {
        private let descriptor: Int32
        package let port: UInt16

        /// Listens at an IPv4 address of this machine; port 0 is chosen free.
        /// - Parameter accepts: whether it lets anybody connect. Where it does not, the port is only held: whoever dials it already is
        ///   refused as before, and not cut off.
        /// - Throws: ``ZeroMQError`` with the operating system's code.
        package init(address: String, port: UInt16, accepts: Bool = true) throws(ZeroMQError) {
            let operation = "listening at \(address):\(port)"
            guard let (place, _) = resolve(address, port) else { throw ZeroMQError(operation: operation, code: EADDRNOTAVAIL) }
            let opened = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            var one: Int32 = 1
            _ = unsafe setsockopt(opened, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
            guard unsafe withAddress(place, { unsafe bind(opened, $0, $1) }) == 0, !accepts || listen(opened, 64) == 0, let own = ownPlace(of: opened) else {
                let code = errno
                _ = close(opened)
                throw ZeroMQError(operation: operation, code: code)
            }
            descriptor = opened
            self.port = UInt16(bigEndian: own.sin_port)
        }

        deinit { _ = close(descriptor) }
    }

    /// Tries to connect.
    /// - Returns: nil where it went well, otherwise why not.
    package static func failureToReach(_ address: String, port: UInt16, within limit: Duration) -> String? {
        guard let (place, _) = resolve(address, port) else { return "the name \(address) is unknown there" }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { _ = close(descriptor) }
        if unsafe withAddress(place, { unsafe connect(descriptor, $0, $1) }) == 0 { return nil }
        guard errno == EINPROGRESS else { return reason(errno) }
        var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard unsafe poll(&waiting, 1, limit.milliseconds) == 1 else { return "no answer: a firewall may drop it" }
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        _ = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
        return code == 0 ? nil : reason(code)
    }

    /// The IPv4 number of a name; nil where it is unknown.
    package static func number(of name: String) -> String? { resolve(name, 0)?.1 }

    /// The address of this machine from which the way to `host` begins; nil where there is none.
    package static func ownAddress(towards host: String) -> String? {
        guard let (place, _) = resolve(host, 9) else { return nil }
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { _ = close(descriptor) }
        // Connecting a datagram socket sends nothing; it only chooses the route.
        guard unsafe withAddress(place, { unsafe connect(descriptor, $0, $1) }) == 0 else { return nil }
        return ownPlace(of: descriptor).map(text)
    }

    /// The IPv4 address of each network interface that has one.
    package static var interfaces: [(name: String, address: String)] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&list) == 0 else { return [] }
        defer { unsafe freeifaddrs(list) }
        var found: [(name: String, address: String)] = []
        var next = unsafe list
        while let entry = unsafe next {
            if let address = unsafe entry.pointee.ifa_addr, unsafe address.pointee.sa_family == sa_family_t(AF_INET) {
                let place = unsafe UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self)
                found.append((unsafe String(cString: entry.pointee.ifa_name), text(place)))
            }
            unsafe next = entry.pointee.ifa_next
        }
        return found
    }

    private static func resolve(_ name: String, _ port: UInt16) -> (sockaddr_in, String)? {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_INET
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(name, String(port), &hints, &found) == 0, let first = unsafe found else { return nil }
        defer { unsafe freeaddrinfo(found) }
        guard let address = unsafe first.pointee.ai_addr else { return nil }
        let place = unsafe UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self)
        return (place, text(place))
    }

    private static func ownPlace(of descriptor: Int32) -> sockaddr_in? {
        var own = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe withUnsafeMutablePointer(to: &own) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(descriptor, $0, &length) }
        }
        return result == 0 ? own : nil
    }

    private static func text(_ place: sockaddr_in) -> String {
        let number = UInt32(bigEndian: place.sin_addr.s_addr)
        return [24, 16, 8, 0].map { String(number >> $0 & 0xFF) }.joined(separator: ".")
    }
}

private func reason(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }

@unsafe
private func withAddress(_ place: sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    unsafe withUnsafePointer(to: place) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
}
