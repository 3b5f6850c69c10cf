import Cluster
import Testing

@testable import Coordination
@testable import Wording

/// Who may join where one engine has placed all workers.
@Suite struct PlacementTests {
    let membership = Membership(placed: 2)

    init() { membership.expect(Self.identity(nil)) }

    static func identity(_ rank: Int?, of size: Int? = 2, process: Int32 = 1) -> WorkerIdentity {
        WorkerIdentity(
            version: "1", fingerprint: "f", arithmetic: 1, arithmeticName: "arithmetic 1", host: "h", hostName: "n1",
            processID: process, threads: 1,
            number: rank, worldSize: size)
    }

    func join(_ identity: WorkerIdentity, as name: String) throws {
        try membership.join(identity, ActorAddress(process: name, name: "worker"))
    }

    @Test func `a rank that is given twice keeps the run from beginning`() throws {
        try join(Self.identity(1, process: 7), as: "a")
        try membership.checkRendezvous()
        let refusal = try #require(throws: JoinRefused.self) { try join(Self.identity(1, process: 8), as: "b") }
        #expect(refusal.description.contains("rank 1 is given twice, to process 7 on host n1 and process 8 on host n1"))
        #expect(throws: InputError(refusal.description)) { try membership.checkRendezvous() }
    }

    @Test func `a process may take the place of one that is lost, or later of any`() throws {
        try join(Self.identity(1), as: "a")
        try join(Self.identity(1), as: "a")
        membership.fellSilent("a", inGeneration: 0)
        try join(Self.identity(1), as: "b")
        _ = membership.takeMembers()
        try join(Self.identity(1), as: "c")
        try membership.checkRendezvous()
    }

    @Test func `ranks of another job are refused`() throws {
        let refusal = try #require(throws: JoinRefused.self) { try join(Self.identity(3, of: 4), as: "a") }
        #expect(refusal.description.contains("rank 3 on host n1 counts 4 ranks, the coordinator 2"))
    }

    @Test func `a worker that computes different bits keeps the run from beginning, and its host is named`() throws {
        var other = Self.identity(1)
        other.fingerprint = "g"
        #expect(throws: JoinRefused.self) { try join(other, as: "a") }
        let error = try #require(throws: InputError.self) { try membership.checkRendezvous() }
        #expect(error.description.contains("host n1 computes different bits"))
    }

    @Test func `those that did not come in time are named`() async throws {
        try join(Self.identity(1), as: "a")
        _ = membership.takeMembers()
        membership.endRendezvous(after: .zero, advice: "allow more time")
        await membership.change()
        let error = try #require(throws: RunError.self) { try membership.checkRendezvous() }
        #expect(error.description.contains("1 of 2 workers joined within 0 s, missing is rank 0: allow more time"))
    }

    @Test func `workers started by hand are counted, and have no ranks`() async throws {
        try join(Self.identity(nil), as: "a")
        _ = membership.takeMembers()
        membership.endRendezvous(after: .zero, advice: "allow more time")
        await membership.change()
        let error = try #require(throws: RunError.self) { try membership.checkRendezvous() }
        #expect(error.description == "1 of 2 workers joined within 0 s: allow more time")
    }
}
