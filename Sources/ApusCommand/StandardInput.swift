internal import Foundation
internal import TextData

/// Standard input in large chunks, each as soon as it arrives.
enum StandardInput {
    private static let pieceSize = 1 << 20

    struct Unreadable: Error, CustomStringConvertible {
        let reason: String
        var description: String { "standard input cannot be read: \(reason)" }
    }

    /// The bytes of one read, so that each typed line is answered at once; nil at the end.
    static func chunk() throws(Unreadable) -> [UInt8]? {
        do {
            let bytes = try DescriptorReading.read(FileHandle.standardInput.fileDescriptor, most: pieceSize)
            return bytes.isEmpty ? nil : bytes
        } catch { throw Unreadable(reason: error.reason) }
    }
}
