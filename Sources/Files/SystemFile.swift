package import Foundation

/// Files that the kernel generates on reading, such as those of /proc, and what comes through a pipe.
///
/// Their size is reported as 0, and Foundation may stop before the end: this reads up to the end.
package enum SystemFile {
    /// - Parameter most: bytes after which it stops, or a few more: a device may have no end.
    /// - Returns: nil if there is no such file (any more), or it may not be read.
    package static func contents(_ path: String, most: Int = .max) -> Data? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var contents = Data()
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe read(descriptor, &part, part.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 || contents.count > most { return contents }
            contents += part[..<count]
        }
    }

    /// - Returns: nil if ``contents(_:)`` gives nil.
    package static func text(_ path: String) -> String? { contents(path).map { String(decoding: $0, as: UTF8.self) } }
}
