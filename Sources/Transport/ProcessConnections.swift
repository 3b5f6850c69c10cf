internal import CSystem
internal import Foundation
internal import Glibc

/// The connections of another process of this user, cut from outside while both ends are alive.
///
/// This simulates a NAT, a VPN or a firewall that drops state. Duplicating a connection of another process and shutting
/// it down ends the connection itself: both ends see it end, without touching either process.
package enum ProcessConnections {
    /// A connected stream socket.
    package struct Connection: Sendable, Equatable {
        package var local: Name
        package var peer: Name

        package init(local: Name, peer: Name) {
            self.local = local
            self.peer = peer
        }
    }

    /// The name of an end of a connection.
    package enum Name: Sendable, Equatable {
        case path(String)
        case port(UInt16)
        case none
    }

    /// Cuts the connections of `process` that `isMeant` selects.
    ///
    /// Connections without names at both ends, such as socket pairs, are left alone.
    /// - Returns: how many were cut; 0 also if the process has ended, or this process may not inspect it.
    package static func cut(of process: Int32, where isMeant: (Connection) -> Bool) -> Int {
        var count = 0
        for descriptor in descriptors(of: process) {
            let copy = apus_copy_descriptor(process, descriptor)
            guard copy >= 0 else { continue }
            defer { close(copy) }
            guard let found = connection(copy), found.local != .none || found.peer != .none, isMeant(found) else {
                continue
            }
            if shutdown(copy, Int32(SHUT_RDWR)) == 0 { count += 1 }
        }
        return count
    }

    /// The descriptors of a process that are sockets.
    private static func descriptors(of process: Int32) -> [Int32] {
        let folder = "/proc/\(process)/fd"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.compactMap(Int32.init).filter { number in
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(number)")
            return target?.hasPrefix("socket:") ?? false
        }
    }

    /// - Returns: nil if it is not a connected stream socket.
    private static func connection(_ descriptor: Int32) -> Connection? {
        var type: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length) == 0,
            type == Int32(SOCK_STREAM.rawValue),
            let peer = unsafe name({ unsafe getpeername(descriptor, $0, $1) }),
            let local = unsafe name({ unsafe getsockname(descriptor, $0, $1) })
        else { return nil }
        return Connection(local: local, peer: peer)
    }

    private static func name(
        _ ask: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> Name? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let answer = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe ask($0, &length) }
        }
        guard answer == 0 else { return nil }
        let family = Int32(storage.ss_family)
        return unsafe withUnsafeBytes(of: &storage) { bytes in
            // The family is followed by the port or the path.
            let rest = unsafe bytes.prefix(Int(length)).dropFirst(2)
            switch family {
            case AF_INET, AF_INET6:
                let port = unsafe rest.prefix(2)
                return unsafe port.count == 2
                    ? Name.port(UInt16(port[port.startIndex]) << 8 | UInt16(port[port.startIndex + 1])) : Name.none
            case AF_UNIX:
                let path = unsafe rest.prefix { $0 != 0 }
                return unsafe path.isEmpty ? Name.none : .path(String(decoding: path, as: UTF8.self))
            default: return nil
            }
        }
    }
}
