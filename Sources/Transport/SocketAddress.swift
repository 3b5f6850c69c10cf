package import Glibc

/// The address of a TCP socket, of either family.
package struct SocketAddress {
    private var storage: sockaddr_storage
    private var length: socklen_t

    /// The address of a host's name or number; IPv4 if the name has both. IPv6 numbers may be in brackets.
    /// - Returns: nil if the name is unknown.
    package init?(_ host: String, port: UInt16) {
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        let name = isBracketed ? String(host.dropFirst().dropLast()) : host
        guard let found = [AF_INET, AF_INET6].lazy.compactMap({ Self.first(name, port, family: $0) }).first else {
            return nil
        }
        self = found
    }

    /// The address of a number, in brackets or not. Asks no resolver.
    /// - Returns: nil for a name.
    package init?(number: String, port: UInt16) {
        let isBracketed = number.hasPrefix("[") && number.hasSuffix("]")
        let digits = isBracketed ? String(number.dropFirst().dropLast()) : number
        guard let found = Self.first(digits, port, family: AF_UNSPEC, flags: AI_NUMERICHOST) else { return nil }
        self = found
    }

    private init(_ storage: sockaddr_storage, _ length: socklen_t) {
        self.storage = storage
        self.length = length
    }

    private static func first(_ name: String, _ port: UInt16, family: Int32, flags: Int32 = 0) -> SocketAddress? {
        var hints = unsafe addrinfo()
        unsafe hints.ai_flags = flags
        unsafe hints.ai_family = family
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(name, String(port), &hints, &found) == 0, let first = unsafe found else { return nil }
        defer { unsafe freeaddrinfo(found) }
        guard let address = unsafe first.pointee.ai_addr else { return nil }
        return unsafe SocketAddress(copying: address)
    }

    /// - Returns: nil unless it is an address of TCP.
    @unsafe
    init?(copying address: UnsafePointer<sockaddr>) {
        let size: Int
        switch unsafe Int32(address.pointee.sa_family) {
        case AF_INET: size = MemoryLayout<sockaddr_in>.size
        case AF_INET6: size = MemoryLayout<sockaddr_in6>.size
        default: return nil
        }
        var storage = sockaddr_storage()
        unsafe withUnsafeMutableBytes(of: &storage) {
            unsafe $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: size))
        }
        self.init(storage, socklen_t(size))
    }

    /// The own end of a socket; nil if it has none.
    package init?(ownOf descriptor: Int32) { unsafe self.init { unsafe getsockname(descriptor, $0, $1) } }

    /// The other end of a socket; nil if it has none.
    init?(peerOf descriptor: Int32) { unsafe self.init { unsafe getpeername(descriptor, $0, $1) } }

    @unsafe
    private init?(_ ask: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe ask($0, &length) }
        }
        guard result == 0 else { return nil }
        self.init(storage, length)
    }

    package var family: Int32 { Int32(storage.ss_family) }

    @unsafe
    package func withPointer(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        unsafe withUnsafePointer(to: storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
        }
    }

    /// The number as text, without brackets.
    package var host: String { names.host }

    /// The number as text, that of IPv4 also for a connection that a socket of IPv6 took.
    var origin: String {
        let host = host
        return host.hasPrefix("::ffff:") && host.contains(".") ? String(host.dropFirst(7)) : host
    }

    package var port: UInt16 { UInt16(names.port) ?? 0 }

    /// Whether it is a loopback address.
    var isLoopback: Bool { host == "::1" || host.hasPrefix("127.") || host.hasPrefix("::ffff:127.") }

    /// Whether it stands for all addresses of a machine; connected to, it means the machine itself.
    private var isUnspecified: Bool { ["0.0.0.0", "::", "::ffff:0.0.0.0"].contains(host) }

    /// Whether a machine that connects to it reaches itself, whichever machine it is.
    var meansReader: Bool { isLoopback || isUnspecified }

    private var names: (host: String, port: String) {
        var (host, port) = ([CChar](repeating: 0, count: Int(NI_MAXHOST)), [CChar](repeating: 0, count: 32))
        let flags = NI_NUMERICHOST | NI_NUMERICSERV
        let result = unsafe withPointer { address, length in
            unsafe getnameinfo(
                address, length, &host, socklen_t(host.count), &port, socklen_t(port.count), Int32(flags))
        }
        return result == 0 ? (text(host), text(port)) : ("", "")
    }

    private func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
