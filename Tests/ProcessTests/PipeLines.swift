import Foundation

/// The lines of a pipe, read as they come: the process at its other end never waits for room.
final class PipeLines: @unchecked Sendable {
    private let arrival = NSCondition()
    private var lines: [String] = []
    private var hasEnded = false

    init(_ pipe: Pipe) {
        Thread { [self] in
            var buffer: [UInt8] = []
            while case let more = pipe.fileHandleForReading.availableData, !more.isEmpty {
                buffer.append(contentsOf: more)
                while let end = buffer.firstIndex(of: 0x0A) {
                    add(String(decoding: buffer[..<end], as: UTF8.self))
                    buffer.removeSubrange(...end)
                }
            }
            add(nil)
        }.start()
    }

    /// - Parameter line: nil at the end.
    private func add(_ line: String?) {
        arrival.lock()
        if let line { lines.append(line) } else { hasEnded = true }
        arrival.broadcast()
        arrival.unlock()
    }

    /// Waits for the next line; nil at the end.
    func next() -> String? {
        arrival.lock()
        defer { arrival.unlock() }
        while lines.isEmpty, !hasEnded { arrival.wait() }
        return lines.isEmpty ? nil : lines.removeFirst()
    }
}
