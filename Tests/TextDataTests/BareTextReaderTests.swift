import Foundation
import Testing

@testable import TextData

@Suite struct BareTextReaderTests {
    private func lines(of bytes: [UInt8]) throws -> [String] {
        let folder = try TemporaryFolder(["a": Data(bytes)])
        let handle = try FileHandle(forReadingFrom: folder.url.appendingPathComponent("a"))
        var reader = try BareTextReader(handle)
        var lines: [String] = []
        while let line = try reader.next() { lines.append(line) }
        return lines
    }

    @Test func eachLineIsAText() throws {
        #expect(try lines(of: Array("a\n\nb c\r\nd".utf8)) == ["a", "", "b c", "d"])
        #expect(try lines(of: Array("\u{FEFF}a\n\u{FEFF}b\n".utf8)) == ["a", "\u{FEFF}b"])
        #expect(try lines(of: []) == [])
    }

    @Test func linesMayBeLongerThanWhatIsReadAtOnce() throws {
        let texts = (1...40).map { String(repeating: "é", count: $0 * 5000) }
        #expect(try lines(of: Array(texts.joined(separator: "\n").utf8)) == texts)
    }

    @Test func aLineIsGivenBeforeTheStreamEnds() throws {
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Data("first\nsec".utf8))
        var reader = try BareTextReader(pipe.fileHandleForReading)
        #expect(try reader.next() == "first")
        try pipe.fileHandleForWriting.write(contentsOf: Data("ond\n".utf8))
        try pipe.fileHandleForWriting.close()
        #expect(try reader.next() == "second")
        #expect(try reader.next() == nil)
    }

    @Test func `lines that are there come together, and the beginning of another does not hold them back`() throws {
        let pipe = Pipe()
        var reader = try BareTextReader(pipe.fileHandleForReading)
        try pipe.fileHandleForWriting.write(contentsOf: Data("a\nb\nc\nd".utf8))
        #expect(try reader.lines(most: 2) == ["a", "b"])
        #expect(try reader.lines(most: 9) == ["c"])
        try pipe.fileHandleForWriting.write(contentsOf: Data("e\n\nf".utf8))
        try pipe.fileHandleForWriting.close()
        #expect(try reader.lines(most: 9) == ["de", "", "f"])
        #expect(try reader.lines(most: 9) == [])
    }

    @Test func `a bad line is thrown after the lines before it`() throws {
        let folder = try TemporaryFolder(["a": Data([0x61, 0x0A, 0xFF, 0x0A, 0x62])])
        var reader = try BareTextReader(try FileHandle(forReadingFrom: folder.url.appendingPathComponent("a")))
        #expect(try reader.lines(most: 9) == ["a"])
        let error = #expect(throws: DatasetError.self) { _ = try reader.lines(most: 9) }
        #expect(error?.line == 2)
        #expect(try reader.lines(most: 9) == ["b"])
    }

    @Test func `a stream that answers at once that it has nothing is waited for`() throws {
        let pipe = Pipe()
        let reading = pipe.fileHandleForReading.fileDescriptor
        #expect(fcntl(reading, F_SETFL, O_NONBLOCK) == 0)
        var reader = try BareTextReader(pipe.fileHandleForReading)
        let writer = Thread {
            try? pipe.fileHandleForWriting.write(contentsOf: Data("late\n".utf8))
            try? pipe.fileHandleForWriting.close()
        }
        writer.start()
        #expect(try reader.next() == "late")
        #expect(try reader.next() == nil)
    }

    @Test func `a stream that cannot be read is told`() throws {
        let pipe = Pipe()
        var reader = try BareTextReader(pipe.fileHandleForWriting)
        let error = #expect(throws: DatasetError.self) { try reader.next() }
        #expect(error?.description.contains("cannot be read (Bad file descriptor)") == true)
    }

    @Test func aFolderIsRefused() throws {
        let folder = try TemporaryFolder([String: String]())
        let handle = try FileHandle(forReadingFrom: folder.url)
        let error = #expect(throws: DatasetError.self) { try BareTextReader(handle) }
        #expect(error?.description == "standard input: is a folder, expected texts: name a file")
    }

    @Test func invalidUTF8IsRefusedWithItsLine() throws {
        let error = #expect(throws: DatasetError.self) { try lines(of: [0x61, 0x0A, 0xFF, 0x0A]) }
        #expect(error?.description == "standard input, line 2: is not UTF-8: convert the text first")
    }
}
