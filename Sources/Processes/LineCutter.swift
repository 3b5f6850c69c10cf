internal import Foundation
internal import TextData

/// Splits a process's output into lines. Only the beginning of an overlong line is kept.
struct LineCutter {
    /// Most bytes of a line that are passed on.
    static let longest = 1 << 14
    private static let mark = Array(" … (the rest of this line is omitted)".utf8)

    private var rest: [UInt8] = []
    /// Whether the beginning of the current line was already passed on.
    private var isCut = false

    /// Accepts bytes as they arrive.
    /// - Parameter pass: takes each line, without its end.
    mutating func take(_ bytes: [UInt8], _ pass: ([UInt8]) -> Void) {
        var bytes = bytes[...]
        while let end = bytes.firstIndex(of: 0x0A) {
            extend(bytes[..<end], pass)
            if !isCut { pass(rest) }
            rest.removeAll(keepingCapacity: true)
            isCut = false
            bytes = bytes[(end + 1)...]
        }
        extend(bytes, pass)
    }

    private mutating func extend(_ bytes: ArraySlice<UInt8>, _ pass: ([UInt8]) -> Void) {
        guard !isCut else { return }
        rest += bytes.prefix(Self.longest + 1 - rest.count)
        guard rest.count > Self.longest else { return }
        pass(rest.dropLast() + Self.mark)
        rest.removeAll(keepingCapacity: true)
        isCut = true
    }

    /// Handles the end of the stream, possibly without a line end before it.
    mutating func end(_ pass: ([UInt8]) -> Void) {
        if !rest.isEmpty { pass(rest) }
        rest = []
        isCut = false
    }
}

extension FileHandle {
    /// Passes on the bytes of a pipe in chunks, up to its end.
    ///
    /// Foundation ends the process when its own read of a pipe is interrupted.
    package func readPieces(_ take: ([UInt8]) -> Void) {
        while let bytes = try? DescriptorReading.read(fileDescriptor, most: 1 << 16), !bytes.isEmpty { take(bytes) }
    }

    /// Passes on the lines of a pipe, without line ends.
    package func readLines(_ pass: ([UInt8]) -> Void) {
        var lines = LineCutter()
        readPieces { lines.take($0, pass) }
        lines.end(pass)
    }
}
