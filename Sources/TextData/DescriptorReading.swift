internal import Foundation

/// Reads from pipes, terminals and files without waiting for full buffers.
package enum DescriptorReading {
    /// Why a read failed.
    package struct Failure: Error {
        /// The system's description.
        package let reason: String
    }

    /// Whether a read would return at once: bytes or the end are available.
    package static func isReady(_ descriptor: CInt) -> Bool {
        var waited = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&waited, 1, 0) > 0
    }

    /// The result of one read: at most `most` bytes, fewer if no more are available yet, and none at the end.
    ///
    /// Waits for the first byte, even if the descriptor is non-blocking.
    package static func read(_ descriptor: CInt, most: Int) throws(Failure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: most)
        while true {
            let count = unsafe Foundation.read(descriptor, &bytes, most)
            if count >= 0 { return count == most ? bytes : Array(bytes[..<count]) }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                var waited = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                _ = unsafe poll(&waited, 1, -1)
            case let code: throw Failure(reason: unsafe String(cString: strerror(code)))
            }
        }
    }
}
