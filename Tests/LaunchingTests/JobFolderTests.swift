import Foundation
import Synchronization
import Testing

@testable import Coordination
@testable import Launching
@testable import Processes
@testable import Wording

@Suite struct JobFolderTests {
    @Test func `ranks that make a job's folder at the same moment all find it theirs`() throws {
        let complaints = Mutex<[String]>([])
        for job in 0..<2_000 {
            let name = "test-\(UUID().uuidString)-\(job)"
            DispatchQueue.concurrentPerform(iterations: 4) { _ in
                do { _ = try JobFolder(job: name) } catch { complaints.withLock { $0.append("\(error)") } }
            }
            try JobFolder(job: name).remove()
        }
        #expect(complaints.withLock { $0 } == [])
    }

    @Test func `a folder that others may enter is refused`() throws {
        let name = "test-\(UUID().uuidString)"
        let folder = try JobFolder(job: name)
        defer { folder.remove() }
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path)
        #expect(throws: InputError.self) { try JobFolder(job: name) }
    }

    @Test func `a folder too deep for the sockets of later generations is refused at once`() throws {
        let base = FileManager.default.temporaryDirectory.path
        func name(_ bytes: Int) -> String { base + "/" + String(repeating: "n", count: bytes - base.utf8.count - 1) }
        let most = SocketPath.longest - SocketPath.data(in: "", generation: 0).utf8.count
        try SocketPath.check(folder: name(most))
        #expect(throws: InputError.self) { try SocketPath.check(folder: name(most + 1)) }
        #expect(throws: InputError.self) { try PrivateFolder(in: name(most)) }
        #expect(throws: InputError.self) { try JobFolder(job: "a", in: name(most)) }
        #expect(!FileManager.default.fileExists(atPath: name(most)))
    }

    @Test func `a job's name of any length leaves room for the sockets in its folder`() throws {
        let long = String(repeating: "a.long.name.", count: 20) + UUID().uuidString
        let folders = try [long, long, long + "x"].map { try JobFolder(job: $0) }
        defer { for folder in folders { folder.remove() } }
        #expect(folders[0].path == folders[1].path && folders[0].path != folders[2].path)
        #expect(SocketPath.fits(folder: folders[0].path))
    }

    @Test(arguments: [1, 9, 10, 4_194_303] as [pid_t], [0, 1, 9, 10, 99, 1_000, .max] as [UInt32])
    func `all sockets of a run have paths of one length`(process: pid_t, generation: UInt32) {
        let path = SocketPath.data(in: "/tmp", process: process, generation: generation)
        #expect(path.utf8.count == SocketPath.data(in: "/tmp", process: 1, generation: 1).utf8.count)
    }
}

/// Folders of launchers and jobs that no process owns any more.
@Suite struct AbandonedFoldersTests {
    private let base: String

    init() throws {
        base = FileManager.default.temporaryDirectory.path + "/sweep-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: base, withIntermediateDirectories: false)
    }

    private func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: base).sorted() }

    /// The number of a process that has ended.
    private func endedProcess() throws -> pid_t {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/true")
        try process.run()
        process.waitUntilExit()
        return process.processIdentifier
    }

    @Test func `what no living process owns is removed, and nothing else`() throws {
        defer { try? FileManager.default.removeItem(atPath: base) }
        let ended = try endedProcess()
        let abandoned = ["apus-\(ended)-0123abcd", "apus-\(ended)-f", "apus-job-\(getuid())-parent-7"]
        let other = [
            "apus-\(getpid())-0123abcd", "apus-\(ended)-0123abcd-x", "apus-process-1", "apus-job-\(getuid() + 1)-a",
            "apus", "other",
        ]
        for name in abandoned + other {
            try FileManager.default.createDirectory(atPath: "\(base)/\(name)/below", withIntermediateDirectories: true)
        }
        let held = FolderHold("\(base)/\(abandoned[0])")
        AbandonedFolders.remove(in: base, olderThan: 3_600)
        #expect(try names() == (abandoned + other).sorted())
        AbandonedFolders.remove(in: base, olderThan: -1)
        #expect(try names() == (abandoned[..<1] + other).sorted())
        withExtendedLifetime(held) {}
    }

    @Test func `a link is not followed`() throws {
        defer { try? FileManager.default.removeItem(atPath: base) }
        try FileManager.default.createDirectory(atPath: base + "/precious/below", withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: "\(base)/apus-\(try endedProcess())-f", withDestinationPath: base + "/precious")
        AbandonedFolders.remove(in: base, olderThan: -1)
        #expect(FileManager.default.fileExists(atPath: base + "/precious/below"))
    }

    @Test func `a folder of a launcher that lives stays, and goes with it`() throws {
        defer { try? FileManager.default.removeItem(atPath: base) }
        let folder = try PrivateFolder(in: base)
        let job = try JobFolder(job: "a", in: base)
        AbandonedFolders.remove(in: base, olderThan: -1)
        #expect(try names().count == 2)
        folder.remove()
        job.remove()
        #expect(try names() == [])
    }
}
