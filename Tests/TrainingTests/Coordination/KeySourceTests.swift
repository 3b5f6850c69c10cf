internal import Foundation
import Testing
import Transport

@testable internal import Coordination
@testable internal import Launching
@testable internal import Wording

@Suite struct KeySourceTests {
    static let secret = ["APUS_SECRET": String(repeating: "0123456789abcdef", count: 2)]

    @Test func `without a variable there are no keys`() throws {
        #expect(try KeySource(.worker(rank: 0), environment: ["APUS_SECRET": "", "HOME": "/x"]) == nil)
    }

    @Test func `one secret gives every process keys that fit each other`() throws {
        let coordinator = try #require(try KeySource(.coordinator(workers: 3), environment: Self.secret)).ring
        let workers = try (0..<3).map { try #require(try KeySource(.worker(rank: $0), environment: Self.secret)).ring }
        #expect(workers.map(\.own.publicKey) == coordinator.workers)
        #expect(workers.allSatisfy { $0.coordinator == coordinator.own.publicKey })
        #expect(Set(coordinator.workers + [coordinator.own.publicKey]).count == 4)
        let other = try #require(
            try KeySource(.coordinator(workers: 3), environment: ["APUS_SECRET": String(repeating: "x", count: 32)])
        ).ring
        #expect(Set(other.workers).isDisjoint(with: coordinator.workers))
    }

    @Test func `a folder of keys has one for each rank`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "apus-keys-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        _ = try KeyFolder.make(folder, workers: 2)
        let environment = ["APUS_KEY_FOLDER": folder]
        let coordinator = try #require(try KeySource(.coordinator(workers: 2), environment: environment)).ring
        let last = try #require(try KeySource(.worker(rank: 1), environment: environment)).ring
        #expect(coordinator.workers.last == last.own.publicKey)
        let error = try #require(throws: InputError.self) { try KeySource(.worker(rank: 2), environment: environment) }
        #expect(error.description.contains("worker-3.key is not on host"))
    }

    @Test(arguments: [
        (["APUS_SECRET": "short"], "APUS_SECRET has 5 characters, must have at least 32"),
        (["APUS_SECRET": String(repeating: "x", count: 32)], "no launcher says which rank this is"),
        (["APUS_KEY_FOLDER": "/x"], "no launcher says which rank this is"),
        (["APUS_KEY_FILE": "/nowhere"], "APUS_KEY_FILE: /nowhere cannot be read"),
    ])
    func `what gives no key is refused in one line`(environment: [String: String], message: String) throws {
        let error = try #require(throws: InputError.self) {
            try KeySource(.worker(rank: nil), environment: environment)
        }
        #expect(error.description.contains(message), "\(error)")
    }
}
