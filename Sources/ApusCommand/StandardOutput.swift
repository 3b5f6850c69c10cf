internal import Foundation
internal import Synchronization

/// Results on standard output, written in large chunks.
enum StandardOutput {
    /// The reader closed the pipe, as `head` does: an end, not a failure.
    struct ReaderGone: Error {}

    private static let pending = Mutex<[UInt8]>([])
    private static let pieceSize = 1 << 16

    static func write(line: String) throws {
        try write(Array("\(line)\n".utf8))
    }

    static func write(_ bytes: [UInt8]) throws {
        let isFull = pending.withLock {
            $0.append(contentsOf: bytes)
            return $0.count >= pieceSize
        }
        if isFull { try flush() }
    }

    static func flush() throws {
        let bytes = pending.withLock { pending in
            defer { pending.removeAll() }
            return pending
        }
        guard !bytes.isEmpty else { return }
        do {
            try FileHandle.standardOutput.write(contentsOf: bytes)
        } catch let error as NSError where Self.isBrokenPipe(error) {
            throw ReaderGone()
        } catch {
            throw OutputFailed(reason: error.localizedDescription)
        }
    }

    /// Standard output could not be written, as on a full disk.
    struct OutputFailed: Error, CustomStringConvertible {
        let reason: String
        var description: String { "standard output cannot be written: \(reason)" }
    }

    private static func isBrokenPipe(_ error: NSError) -> Bool {
        let cause = error.userInfo[NSUnderlyingErrorKey] as? NSError ?? error
        return cause.domain == NSPOSIXErrorDomain && cause.code == Int(EPIPE)
    }
}
