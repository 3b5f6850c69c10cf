package import Foundation
internal import TextData
package import Transport
internal import Wording

/// The pipe that a launcher keeps open as the standard input of its children, here or over ssh.
///
/// First come the lines of a ``KeyRing``, or none, and an empty line; then nothing until the launcher ends, or a byte
/// that means: end at once.
package enum LauncherPipe {
    /// The first lines from a launcher.
    package static func opening(_ ring: KeyRing?) -> Data { Data(((ring?.text ?? "") + "\n").utf8) }

    /// Reads the first lines from a launcher.
    /// - Throws: ``RunError`` if the pipe ends before them, ``InputError`` if they are malformed.
    package static func readOpening() throws -> KeyRing? {
        var bytes: [UInt8] = []
        while bytes != [0x0A], !bytes.suffix(2).elementsEqual([0x0A, 0x0A]) {
            guard bytes.count < 512 << 10, let next = byte() else {
                throw RunError(
                    "the launcher ended before it sent anything: --launched is only for processes started by apus "
                        + "launch"
                )
            }
            bytes.append(next)
        }
        guard bytes.count > 1 else { return nil }
        guard let ring = KeyRing(text: String(decoding: bytes, as: UTF8.self)) else {
            throw InputError("the launcher sent no key ring: does it run the same build?")
        }
        return ring
    }

    /// The next byte; nil at the end, and if the pipe cannot be read.
    private static func byte() -> UInt8? { (try? DescriptorReading.read(STDIN_FILENO, most: 1))?.first }

    /// Messages of a launcher after its first lines.
    package enum Word: Equatable, Sendable {
        /// This process is to end at once.
        case end
        /// The launcher itself has ended.
        case gone
        /// One worker will not be replaced any more.
        case givenUp
        /// The run is to end after a checkpoint, as for this signal.
        case stop(Int32)
    }

    /// Bytes with a meaning for the coordinator; any other byte means the end.
    private static let givenUp: UInt8 = 0x2D
    private static let stop: [Int32: UInt8] = [SIGINT: 0x49, SIGTERM: 0x54]

    /// A message as a launcher sends it; none for its own end, which the end of the pipe tells.
    package static func bytes(of word: Word) -> Data {
        switch word {
        case .end: Data([0x0A])
        case .gone: Data()
        case .givenUp: Data([givenUp])
        case .stop(let signal): Data(stop[signal].map { [$0] } ?? [])
        }
    }

    /// Takes what the launcher says, one message after another, on a thread of its own, and carries out what `process`
    /// makes of it.
    /// - Parameter act: carries out what is neither a wait nor the end.
    package static func follow(
        _ process: LaunchedProcess, _ act: @escaping @Sendable (LaunchedProcess.Action) -> Void = { _ in }
    ) {
        let thread = Thread {
            var process = process
            var due: ContinuousClock.Instant?
            while true {
                for action in process.handle(next(due: due)) {
                    switch action {
                    case .giveUpWorker, .stop: act(action)
                    case .wait(let time): due = .now + time
                    case .exit(let status): _exit(status)
                    }
                }
            }
        }
        thread.name = "apus launcher"
        thread.start()
    }

    /// The next message, the last of which is the launcher's end; once an end is due, only that.
    private static func next(due: ContinuousClock.Instant?) -> LaunchedProcess.Event {
        if let due {
            Thread.sleep(forTimeInterval: max(0, (due - .now).seconds))
            return .due
        }
        guard let byte = byte() else { return .word(.gone) }
        if byte == Self.givenUp { return .word(.givenUp) }
        return .word(Self.stop.first { $0.value == byte }.map { .stop($0.key) } ?? .end)
    }
}
