internal import Foundation
internal import TextData

/// Standard input in large pieces, each as soon as it comes.
enum StandardInput {
    private static let pieceSize = 1 << 20

    struct Unreadable: Error, CustomStringConvertible {
        let reason: String
        var description: String { "standard input cannot be read: \(reason)" }
    }

    /// What one read gives, so that somebody who types a line is answered at once; nil at the end.
    static func chunk() throws(Unreadable) -> [UInt8]? {
        do {
            let bytes = try DescriptorReading.read(FileHandle.standardInput.fileDescriptor, most: pieceSize)
            return bytes.isEmpty ? nil : bytes
        } catch { throw Unreadable(reason: error.reason) }
    }
}
