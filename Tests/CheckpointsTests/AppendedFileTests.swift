import Foundation
import Synchronization
import Testing

@testable import Files

/// A disk that accepts this many bytes at each write, fails if a number is negative, and accepts all after the last
/// number.
private final class Writes: FileSteps {
    private let left: Mutex<[Int]>
    init(_ counts: [Int]) { left = Mutex(counts) }

    func before(_ step: String, _ path: String) throws(FileError) {}
    func room(for count: Int) -> Int { left.withLock { $0.isEmpty ? count : min(count, $0.removeFirst()) } }
}

@Suite struct AppendedFileTests {
    private let folder: TemporaryFolder
    private var path: String { folder("lines") }

    init() throws { folder = try TemporaryFolder() }

    private func text(_ name: String = "lines") throws -> String {
        String(decoding: try FileSystem.read(folder(name)), as: UTF8.self)
    }

    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func `lines that the disk takes piece by piece are whole`() throws {
        var file = AppendedFile(path, steps: Writes([1, 2, 3, 1]))
        try file.append(bytes("first line\n"))
        try file.append(bytes("second\n"))
        #expect(try text() == "first line\nsecond\n")
        #expect(file.byteCount == 18)
    }

    @Test func `of a line that finds no room nothing stays, and it comes with the next one`() throws {
        var file = AppendedFile(path, steps: Writes([6, 3, Int(-ENOSPC)]))
        try file.append(bytes("first\n"))
        let error = try #require(throws: FileError.self) { try file.append(bytes("second\n")) }
        #expect(error.problem.contains(systemReason(ENOSPC)))
        #expect(try text() == "first\n")
        try file.append(bytes("third\n"))
        #expect(try text() == "first\nsecond\nthird\n")
    }

    @Test func `a file that was deleted is there again with all its lines`() throws {
        var file = AppendedFile(path)
        let long = String(repeating: "x", count: 3 << 20) + "\n"
        try file.append(bytes(long))
        try FileManager.default.removeItem(atPath: path)
        #expect(try file.append(bytes("last\n")) == .restored)
        #expect(try text() == long + "last\n")
        #expect(try file.append(bytes("more\n")) == nil)
        #expect(try text() == long + "last\nmore\n")
        #expect(names(in: folder.path) == ["lines"])
    }

    @Test(arguments: ["other\n", "other", ""]) func `a file that took the name is continued`(other: String) throws {
        var file = AppendedFile(path)
        try file.append(bytes("first\n"))
        try folder.write(other, to: "new")
        try FileSystem.rename(folder("new"), to: path)
        #expect(try file.append(bytes("second\n")) == .replaced)
        #expect(try text() == (other.isEmpty ? "" : "other\n") + "second\n")
    }

    @Test(arguments: 0..<12) func `a file that was cut goes on after its last whole line`(length: Int) throws {
        var file = AppendedFile(path)
        try file.append(bytes("first\nsecond\n"))
        try #require(unsafe truncate(path, off_t(length)) == 0)
        #expect(try file.append(bytes("third\n")) == .cut(lostBytes: 13 - length))
        #expect(try text() == (length < 6 ? "" : "first\n") + "third\n")
    }

    @Test func `what is to replace a file waits for room, and lines after it too`() throws {
        try folder.write("old\n", to: "lines")
        var file = AppendedFile(path, steps: Writes([Int(-ENOSPC), Int(-ENOSPC)]))
        #expect(throws: FileError.self) { try file.startOver(with: bytes("new\n")) }
        #expect(throws: FileError.self) { try file.append(bytes("second\n")) }
        #expect(try text() == "old\n")
        try file.append(bytes("third\n"))
        #expect(try text() == "new\nsecond\nthird\n")
    }

    @Test func `a link in the file's place is not followed`() throws {
        try folder.write("precious\n", to: "victim")
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: folder("victim"))
        var file = AppendedFile(path)
        #expect(throws: FileError.self) { try file.append(bytes("line\n")) }
        #expect(try text("victim") == "precious\n")
    }

    @Test(arguments: [true, false]) func `a new file takes the place of a link, whatever the link points to`(
        isSymbolic: Bool
    ) throws {
        try folder.write("precious\n", to: "victim")
        if isSymbolic {
            try FileManager.default.createSymbolicLink(
                atPath: folder("a.partial"), withDestinationPath: folder("victim"))
        } else {
            try FileManager.default.linkItem(atPath: folder("victim"), toPath: folder("a.partial"))
        }
        try FileSystem.replace(folder("a"), with: bytes("new\n"))
        #expect(try text("victim") == "precious\n")
        #expect(try text("a") == "new\n")
        #expect(names(in: folder.path) == ["a", "victim"])
    }
}

@Suite struct ByteTextTests {
    @Test(arguments: [
        (0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1_000, "1.00 kB"), (65_536, "65.5 kB"), (312_345, "312 kB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"), (1_234_567, "1.23 MB"), (271_000_000, "271 MB"), (1 << 40, "1.10 TB"), (.max, "9.22 EB"),
    ])
    func `a number of bytes is never shown as none of a large unit`(bytes: Int, text: String) {
        #expect("\(ByteText(bytes))" == text)
    }
}
