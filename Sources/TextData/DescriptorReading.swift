internal import Foundation

/// Reading of pipes, terminals and files as they come.
package enum DescriptorReading {
    package struct Failure: Error {
        /// The system's words.
        package let reason: String
    }

    /// Whether a read would return at once: bytes are there, or the end is.
    package static func isReady(_ descriptor: CInt) -> Bool {
        var waited = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&waited, 1, 0) > 0
    }

    /// What one read gives: at most `most` bytes, fewer where no more are there yet, and none at the end.
    ///
    /// Waits for the first byte, also where the descriptor itself would not.
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
