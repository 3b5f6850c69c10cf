internal import Foundation
internal import TextData
internal import Transport

/// The pipe that a launcher holds open as the standard input of what it starts, here or over ssh.
///
/// First come the lines of a ``KeyRing``, or none, and an empty line; then nothing until the launcher is gone, or a byte that says: end
/// at once.
enum LauncherPipe {
    /// What a launcher writes first.
    static func opening(_ ring: KeyRing?) -> Data { Data(((ring?.text ?? "") + "\n").utf8) }

    /// Reads what a launcher wrote first.
    /// - Throws: ``RunError`` where the pipe ends before, ``InputError`` where it holds something else.
    static func readOpening() throws -> KeyRing? {
        var bytes: [UInt8] = []
        while bytes != [0x0A], !bytes.suffix(2).elementsEqual([0x0A, 0x0A]) {
            guard bytes.count < 512 << 10, let next = byte() else {
                throw RunError("the launcher was gone before it said anything: --launched is for what apus launch starts")
            }
            bytes.append(next)
        }
        guard bytes.count > 1 else { return nil }
        guard let ring = KeyRing(text: String(decoding: bytes, as: UTF8.self)) else {
            throw InputError("the launcher handed over no key ring: does it run the same build?")
        }
        return ring
    }

    /// The next byte; nil at the end, and from a pipe that cannot be read.
    private static func byte() -> UInt8? { (try? DescriptorReading.read(STDIN_FILENO, most: 1))?.first }

    /// What a launcher says after its opening.
    enum Word: Sendable {
        /// This process is to end at once.
        case end
        /// The launcher itself has ended.
        case gone
        /// One worker will not be replaced any more.
        case givenUp
        /// The run is to end after a checkpoint, as this signal would have it.
        case stop(Int32)
    }

    /// Bytes that say something to the coordinator.
    static let givenUp: UInt8 = 0x2D
    static let stop: [Int32: UInt8] = [SIGINT: 0x49, SIGTERM: 0x54]

    /// Calls `hear` for each word of the launcher, the last of which is that it ends or that this process is to.
    static func watch(_ hear: @escaping @Sendable (Word) -> Void) {
        let thread = Thread {
            while let byte = byte() {
                if byte == Self.givenUp {
                    hear(.givenUp)
                } else if let signal = Self.stop.first(where: { $0.value == byte })?.key {
                    hear(.stop(signal))
                } else {
                    return hear(.end)
                }
            }
            hear(.gone)
        }
        thread.name = "apus launcher"
        thread.start()
    }
}
