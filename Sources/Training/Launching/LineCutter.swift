internal import Checkpoints
internal import Foundation
internal import TextData

/// Cuts what a process writes into lines. Of a line without end only the beginning is kept.
struct LineCutter {
    /// Bytes of a line that are passed on.
    static let longest = 1 << 14
    private static let mark = Array(" … (the rest of this line is left out)".utf8)

    private var rest: [UInt8] = []
    /// Whether the beginning of the present line was passed on already.
    private var isCut = false

    /// Takes bytes as they come.
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

    /// Takes the end of the stream, which may have no line end before it.
    mutating func end(_ pass: ([UInt8]) -> Void) {
        if !rest.isEmpty { pass(rest) }
        rest = []
        isCut = false
    }
}

extension FileHandle {
    /// Hands on what comes through a pipe, piece by piece, up to its end.
    ///
    /// Foundation ends the process when its own read of a pipe is interrupted.
    func readPieces(_ take: ([UInt8]) -> Void) {
        while let bytes = try? DescriptorReading.read(fileDescriptor, most: 1 << 16), !bytes.isEmpty { take(bytes) }
    }

    /// Hands on the lines that come through a pipe, without their ends.
    func readLines(_ pass: ([UInt8]) -> Void) {
        var lines = LineCutter()
        readPieces { lines.take($0, pass) }
        lines.end(pass)
    }
}
