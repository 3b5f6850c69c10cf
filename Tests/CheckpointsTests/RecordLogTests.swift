import Foundation
import Testing

@testable import Files

/// A disk that has no room the first time.
private final class FullOnce: FileSteps {
    private let count = Counter()

    func before(_ step: String, _ path: String) throws(FileError) {
        if step == "append", count.next() == 0 { throw FileError(path, "was full") }
    }
}

@Suite struct RecordLogTests {
    private let folder: TemporaryFolder
    private var path: String { folder("log") }
    private let records = ["{\"a\":1}", "", "two words", "{\"b\":[1,2,3]}"].map { Array($0.utf8) }

    init() throws { folder = try TemporaryFolder() }

    private func written() throws -> [UInt8] {
        let log = try RecordLog(path, records: [records[0]])
        for record in records.dropFirst() { try log.append(record) }
        #expect(try FileSystem.read(path).count == log.byteCount)
        return try FileSystem.read(path)
    }

    @Test func `records come back as they were appended, and none where there is no file`() throws {
        #expect(try RecordLog.read(path).records.isEmpty)
        _ = try written()
        let (found, dropped) = try RecordLog.read(path)
        #expect(found == records && dropped == 0)
    }

    @Test func `records follow a replacement that was put in place and not confirmed`() throws {
        let log = try RecordLog(path, records: [records[0], records[1]])
        let (kept, other) = (folder("kept"), try RecordLog(folder("other"), records: [records[0]]))
        #expect(other.byteCount > 0)
        try FileManager.default.copyItem(atPath: folder("other"), toPath: kept)
        try FileSystem.rename(kept, to: path)
        for record in records.dropFirst(2) { try log.append(record) }
        #expect(try RecordLog.read(path).records == [records[0], records[2], records[3]])
        #expect(try FileSystem.read(path).count == log.byteCount)
    }

    @Test func `a file cut at any byte gives the records that are whole, and only those`() throws {
        let bytes = try written()
        let ends = bytes.indices.filter { bytes[$0] == 0x0A }
        for length in 0...bytes.count {
            try folder.write(Array(bytes[..<length]), to: "log")
            let (found, dropped) = try RecordLog.read(path)
            let whole = ends.count { $0 < length }
            #expect(
                found == Array(records[..<whole]) && dropped == length - (whole == 0 ? 0 : ends[whole - 1] + 1),
                "\(length) bytes")
        }
    }

    @Test func `a changed byte drops its record and what follows`() throws {
        let bytes = try written()
        for place in bytes.indices {
            var changed = bytes
            changed[place] ^= 0x01
            try folder.write(changed, to: "log")
            let before = bytes[..<place].count { $0 == 0x0A }
            #expect(try RecordLog.read(path).records == Array(records[..<before]), "byte \(place)")
        }
    }

    @Test func `what is replaced is gone and more can follow`() throws {
        let log = try RecordLog(path, records: records)
        try log.replace([records[2]])
        try log.append(records[3])
        #expect(try RecordLog.read(path).records == [records[2], records[3]])
    }

    @Test func `a record that could not be appended comes with the next one`() throws {
        let log = try RecordLog(path, records: [records[0]], steps: FullOnce())
        #expect(throws: FileError.self) { try log.append(records[3]) }
        #expect(try RecordLog.read(path).records == [records[0]])
        try log.append(records[2])
        #expect(try RecordLog.read(path).records == [records[0], records[3], records[2]])
    }

    @Test func `a log goes on after its last whole record`() throws {
        let bytes = try written()
        try folder.write(Array(bytes.dropLast(3)), to: "log")
        let log = try RecordLog(goingOnWith: path)
        try log.append(records[1])
        #expect(try RecordLog.read(path).records == Array(records[..<3]) + [records[1]])
        #expect(try FileSystem.read(path).count == log.byteCount)
    }

    @Test func `a log for which there is no room begins when there is`() throws {
        try folder.write("of another run", to: "log")
        let log = RecordLog(path, whenThereIsRoom: [records[0], records[1]], steps: FailingFirst(creations: 2))
        #expect(throws: FileError.self) { try log.append(records[2]) }
        #expect(try FileSystem.read(path) == Array("of another run".utf8))
        try log.append(records[3])
        #expect(try RecordLog.read(path).records == records)
    }

    @Test func `a log that was deleted is whole again with the next record`() throws {
        let log = try RecordLog(path, records: Array(records[..<3]))
        try FileManager.default.removeItem(atPath: path)
        try log.append(records[3])
        #expect(try RecordLog.read(path).records == records)
    }
}

/// A disk on which the first files cannot be created.
private final class FailingFirst: FileSteps {
    private let count = Counter()
    private let creations: Int
    init(creations: Int) { self.creations = creations }

    func before(_ step: String, _ path: String) throws(FileError) {
        if step == "create", count.next() < creations { throw FileError(path, "was full") }
    }
}
