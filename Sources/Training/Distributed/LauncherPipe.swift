internal import Foundation
internal import Transport

/// The pipe that a launcher holds open as the standard input of what it starts, here or over ssh.
///
/// First come the lines of a ``KeyRing``, or none, and an empty line; then nothing until the launcher is gone, but for single bytes:
/// to a worker, that it is to end at once; to the coordinator, that a worker is given up.
enum LauncherPipe {
    /// What a launcher writes first.
    static func opening(_ ring: KeyRing?) -> Data { Data(((ring?.text ?? "") + "\n").utf8) }

    /// Reads what a launcher wrote first.
    /// - Throws: ``RunError`` where the pipe ends before, ``InputError`` where it holds something else.
    static func readOpening() throws -> KeyRing? {
        var bytes: [UInt8] = []
        while bytes != [0x0A], !bytes.suffix(2).elementsEqual([0x0A, 0x0A]) {
            guard bytes.count < 512 << 10, let next = try? FileHandle.standardInput.read(upToCount: 1), !next.isEmpty else {
                throw RunError("the launcher was gone before it said anything: --launched is for what apus launch starts")
            }
            bytes += next
        }
        guard bytes.count > 1 else { return nil }
        guard let ring = KeyRing(text: String(decoding: bytes, as: UTF8.self)) else {
            throw InputError("the launcher handed over no key ring: does it run the same build?")
        }
        return ring
    }

    /// Calls `told` for each byte from the launcher, and `gone` when it has ended.
    static func watch(told: @escaping @Sendable () -> Void, gone: @escaping @Sendable () -> Void) {
        let thread = Thread {
            while let data = try? FileHandle.standardInput.read(upToCount: 1), !data.isEmpty { told() }
            gone()
        }
        thread.name = "apus launcher"
        thread.start()
    }
}
