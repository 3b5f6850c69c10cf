internal import Foundation

/// Standard input in large pieces, each as soon as it comes.
enum StandardInput {
    private static let pieceSize = 1 << 20

    struct Unreadable: Error, CustomStringConvertible {
        let reason: String
        var description: String { "standard input cannot be read: \(reason)" }
    }

    /// What one read gives, so that somebody who types a line is answered at once; nil at the end.
    static func chunk() throws(Unreadable) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: pieceSize)
        while true {
            let count = unsafe read(FileHandle.standardInput.fileDescriptor, &bytes, bytes.count)
            if count > 0 { return Array(bytes.prefix(count)) }
            if count == 0 { return nil }
            guard errno == EINTR else { throw Unreadable(reason: unsafe String(cString: strerror(errno))) }
        }
    }
}
