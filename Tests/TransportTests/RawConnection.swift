import Foundation
import Testing

/// A TCP connection without ZeroMQ, as strangers make it.
struct RawConnection {
    private let descriptor: Int32

    /// - Parameter isPatient: whether to wait until the connection is established.
    init(port: UInt16, isPatient: Bool = true) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | (isPatient ? 0 : Int32(SOCK_NONBLOCK.rawValue)), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = unsafe inet_addr("127.0.0.1")
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0 || !isPatient && errno == EINPROGRESS)
    }

    /// Whether the kernel at the other end has taken the connection by then.
    func stands(within limit: Duration) -> Bool {
        var item = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return unsafe poll(&item, 1, Int32(limit / .milliseconds(1))) == 1
            && item.revents & Int16(POLLERR | POLLHUP) == 0
    }

    func write(_ bytes: [UInt8]) { _ = unsafe send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

    func close() { _ = Foundation.close(descriptor) }
}
