import Foundation
import Synchronization
import Testing

@testable import Training

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
}
