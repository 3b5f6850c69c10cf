import Foundation
import Synchronization
import Testing

@testable import Checkpoints
@testable import Files

/// Makes the step of a given number fail, and all after it, as a full disk does.
final class FailingSteps: FileSteps {
    private let count = Counter()
    let failing: Int

    init(at failing: Int) { self.failing = failing }

    func before(_ step: String, _ path: String) throws(FileError) {
        if count.next() >= failing { throw FileError(path, "\(step) was made to fail") }
    }

    var reached: Int { count.value }
}

@Suite struct FileSystemTests {
    @Test func `a file that may not grow is not called a full disk`() {
        #expect(FileError(unwritable: "a", EFBIG).problem.contains("ulimit -f"))
        #expect(FileError(unwritable: "a", ENOSPC).problem.hasSuffix("make room on its disk"))
    }

    @Test func replacesASmallFileAndLeavesNothingBeside() throws {
        let folder = try TemporaryFolder()
        try FileSystem.replace(folder("a"), with: Array("old".utf8))
        try FileSystem.replace(folder("a"), with: [])
        #expect(try FileSystem.read(folder("a")) == [])
        #expect(names(in: folder.path) == ["a"])
    }

    @Test(arguments: 0..<4)
    func aReplacementThatFailsLeavesTheOldOrTheNewFile(step: Int) throws {
        let folder = try TemporaryFolder()
        try folder.write("old", to: "a")
        let steps = FailingSteps(at: step)
        #expect(throws: FileError.self) { try FileSystem.replace(folder("a"), with: Array("new".utf8), steps: steps) }
        #expect(try String(decoding: FileSystem.read(folder("a")), as: UTF8.self) == (step < 3 ? "old" : "new"))
        #expect(names(in: folder.path) == ["a"])
    }

    @Test(arguments: [false, true])
    func replacesAFolderAsAWhole(isThere: Bool) throws {
        let folder = try TemporaryFolder()
        try FileSystem.makeFolder(folder("new"))
        try folder.write("new", to: "new/a")
        if isThere {
            try FileSystem.makeFolder(folder("model"))
            try folder.write("old", to: "model/b")
        }
        try FileSystem.replaceFolder(folder("model"), with: folder("new"))
        #expect(names(in: folder.path) == ["model"])
        #expect(names(in: folder("model")) == ["a"])
    }

    /// A file system that exchanges no names, as network file systems do.
    private struct OneNameAtATime: FileSteps {
        let code: CInt
        /// How many renames happen before one fails.
        let renames: Counter

        final class Counter: Sendable {
            private let left: Mutex<Int>
            init(_ count: Int) { left = Mutex(count) }
            func take() -> Bool {
                left.withLock { left in
                    left -= 1
                    return left >= 0
                }
            }
        }

        func before(_ step: String, _ path: String) throws(FileError) {
            if step == "rename", !renames.take() { throw FileError(path, "cannot be put in place (a test says so)") }
        }
        func exchange(_ first: String, _ second: String) -> CInt { code }
    }

    private func twoFolders() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for name in ["new", "model"] {
            try FileSystem.makeFolder(folder(name))
            try folder.write(name, to: "\(name)/a")
        }
        return folder
    }

    @Test(arguments: [EINVAL, ENOSYS, ENOTSUP])
    func `where no names can be exchanged a folder is replaced all the same`(code: CInt) throws {
        let folder = try twoFolders()
        try FileSystem.replaceFolder(
            folder("model"), with: folder("new"), steps: OneNameAtATime(code: code, renames: .init(9)))
        #expect(names(in: folder.path) == ["model"])
        #expect(try FileSystem.read(folder("model/a")) == Array("new".utf8))
    }

    @Test(arguments: [0, 1]) func `a replacement by two names that fails leaves the old folder`(renames: Int) throws {
        let folder = try twoFolders()
        #expect(throws: FileError.self) {
            try FileSystem.replaceFolder(
                folder("model"), with: folder("new"), steps: OneNameAtATime(code: EINVAL, renames: .init(renames)))
        }
        #expect(names(in: folder.path) == ["model", "new"])
        #expect(try FileSystem.read(folder("model/a")) == Array("model".utf8))
    }

    @Test func `another failure of an exchange is told`() throws {
        let folder = try twoFolders()
        #expect(
            throws: FileError(
                folder("model"), "cannot be put in place (Permission denied): check the permission of the folder above")
        ) {
            try FileSystem.replaceFolder(
                folder("model"), with: folder("new"), steps: OneNameAtATime(code: EACCES, renames: .init(9)))
        }
    }

    @Test func makesTheFoldersAboveToo() throws {
        let folder = try TemporaryFolder()
        try FileSystem.makeFolder(folder("a/b/c/"))
        try FileSystem.makeFolder(folder("a/b/c"))
        #expect(FileSystem.isFolder(folder("a/b/c")))
    }

    @Test func saysWhyAFolderCannotBeMade() throws {
        let folder = try TemporaryFolder()
        try folder.write("", to: "file")
        #expect(
            throws: FileError(
                folder("file"), "cannot be created (File exists): check the permission or name another folder")
        ) {
            try FileSystem.makeFolder(folder("file/below"))
        }
    }

    @Test(arguments: [
        ("a/b", "a"), ("a//b//", "a"), ("a", "."), ("a/", "."), ("./a", "."), ("/a", "/"), ("/a/b/", "/a"), ("/", "/"),
        ("//", "/"), ("", "."), (".", "."),
        ("a/\u{301}b", "a"),
    ])
    func aParentIsTheFolderAbove(path: String, above: String) { #expect(FileSystem.parent(path) == above) }

    @Test func digestsOfFilesAreThoseOfTheirBytes() throws {
        let folder = try TemporaryFolder()
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        #expect(Digests.bytes(Array("abc".utf8)) == abc)
        #expect(try Digests.file(folder.write("abc", to: "a")) == abc)
        let long = [UInt8](repeating: 7, count: (1 << 21) + 3)
        #expect(try Digests.file(folder.write(long, to: "b")) == Digests.bytes(long))
        #expect(try Digests.file(folder.write([], to: "c")) == Digests.bytes([]))
    }

    @Test func parametersAreDigestedInNameOrderWithNamesAndShapes() {
        func text(_ name: String, _ shape: [Int], _ values: [Float]) -> [UInt8] {
            let numbers = ([shape.count] + shape).flatMap { number in
                (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
            }
            return Array(name.utf8) + [0] + numbers
                + values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> ($0 * 8)) } }
        }
        let expected = Digests.bytes(text("B", [3], [1, 1.5, 2]) + text("a", [1, 2], [0, 0.5]))
        #expect(Digests.parameters([tensor("a", [1, 2]), tensor("B", [3], from: 1)]) == expected)
        #expect(Digests.parameters([tensor("B", [3], from: 1), tensor("a", [2, 1])]) != expected)
    }
}
