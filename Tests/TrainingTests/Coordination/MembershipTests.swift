import Cluster
import Synchronization
import Testing
import Transport

@testable import Coordination

@Suite struct MembershipTests {
    static let identity = WorkerIdentity(
        version: "1", fingerprint: "f", arithmetic: 1, arithmeticName: "arithmetic 1", host: "h", hostName: "here",
        processID: 1, threads: 1)
    private let membership = Membership()

    init() { membership.expect(Self.identity) }

    private func address(_ name: String) -> ActorAddress { ActorAddress(process: name, name: "worker") }

    private func join(_ name: String) throws { try membership.join(Self.identity, address(name)) }

    @Test func `another version, arithmetic or fingerprint is refused, naming the host and the remedy`() {
        var other = Self.identity
        other.version = "2"
        #expect(throws: JoinRefused("host here runs apus 2, the coordinator 1: install the same build on both")) {
            try membership.join(other, address("a"))
        }
        func refusal(_ change: (inout WorkerIdentity) -> Void) -> String {
            var other = Self.identity
            change(&other)
            return #expect(throws: JoinRefused.self) { try membership.join(other, address("a")) }?
                .description ?? ""
        }
        let otherMessages = refusal { $0.protocols = nil }
        #expect(otherMessages.hasPrefix("host here speaks control messages 1"), "\(otherMessages)")
        let newer = refusal { ($0.arithmetic, $0.arithmeticName) = (2, "arithmetic 2") }
        #expect(
            newer.hasPrefix("host here computes with arithmetic 2, this one with arithmetic 1: install the same build"),
            "\(newer)")
        let unnamed = refusal { ($0.arithmetic, $0.arithmeticName) = (nil, nil) }
        #expect(unnamed.contains("an arithmetic without a number"), "\(unnamed)")
        let library = refusal {
            ($0.fingerprint, $0.arithmeticName) = ("g", "arithmetic 1 with OpenBLAS 0.3, core type Zen")
        }
        #expect(
            library.contains("arithmetic 1 with OpenBLAS 0.3, core type Zen there, arithmetic 1 here"), "\(library)")
        #expect(library.contains("OPENBLAS_CORETYPE"), "\(library)")
        let broken = refusal { $0.fingerprint = "g" }
        #expect(broken.contains("although both have arithmetic 1") && broken.contains("broken"), "\(broken)")
        #expect(membership.members.isEmpty && !membership.hasNews)
    }

    @Test func `a worker that describes itself at length is refused`() {
        let long = String(repeating: "x", count: 1_025)
        for change in [
            { $0.version = long }, { $0.fingerprint = long }, { $0.arithmeticName = long }, { $0.host = long },
            { $0.hostName = long },
        ] as [(inout WorkerIdentity) -> Void] {
            var other = Self.identity
            change(&other)
            let error = #expect(throws: JoinRefused.self) { try membership.join(other, address("a")) }
            #expect((error?.description.utf8.count ?? 0) < 200)
        }
    }

    @Test func `members are remembered, and of lost workers a limited number`() throws {
        try join("stays")
        for number in 0..<(3 * Membership.mostKnown) {
            try join("goes \(number)")
            let member = try #require(membership.known("goes \(number)"))
            membership.remove(member)
        }
        #expect(membership.state.withLock { $0.known.count } <= Membership.mostKnown + 1)
        #expect(membership.known("stays") != nil && membership.members.count == 1)
    }

    @Test func `the loss of a member of the newest generation ends the coordinator's links, and no other's does`()
        throws
    {
        for name in ["a", "b", "c"] { try join(name) }
        let context = try Context()
        func canceller() throws -> MeshCanceller {
            try MeshListener(at: "tcp://127.0.0.1:*", keys: nil, in: context).canceller
        }
        let (first, second, third) = try (canceller(), canceller(), canceller())
        membership.endLinks(first, ofGeneration: 1, whenLost: Array(membership.members.prefix(2)))
        membership.fellSilent("c", inGeneration: 1)
        #expect(!first.isCancelled)
        membership.endLinks(second, ofGeneration: 2, whenLost: Array(membership.members.prefix(2)))
        membership.fellSilent("b", inGeneration: 1)
        #expect(!second.isCancelled, "b came back into generation 2 before its loss was told")
        membership.fellSilent("b", inGeneration: 2)
        #expect(!first.isCancelled && second.isCancelled)
        membership.endLinks(third, ofGeneration: 3, whenLost: membership.members)
        #expect(third.isCancelled, "b was lost before")
    }

    @Test func `a worker that names itself as the coordinator is refused`() {
        #expect(throws: JoinRefused.self) { try join("coordinator") }
        #expect(membership.members.isEmpty)
    }

    @Test func `members stand in the order of joining, and one that joins again is the last`() throws {
        for name in ["a", "b", "c", "a"] { try join(name) }
        #expect(membership.members.map(\.address.process) == ["b", "c", "a"])
        #expect(membership.hasNews)
        #expect(membership.takeMembers().count == 3)
        #expect(!membership.hasNews)
    }

    @Test func `workers with numbers stand in their order, before those without`() throws {
        for (name, number) in [("x", nil), ("c", 2), ("a", 0), ("y", nil), ("b", 1), ("d", 2)] as [(String, Int?)] {
            var identity = Self.identity
            identity.number = number
            try membership.join(identity, address(name))
        }
        #expect(membership.takeMembers().map(\.address.process) == ["a", "b", "c", "d", "x", "y"])
    }

    @Test func `the loss of an earlier joining does not touch a later one`() throws {
        try join("a")
        let earlier = membership.members[0]
        try join("a")
        membership.remove(earlier)
        #expect(membership.members.map(\.address.process) == ["a"])
        membership.remove(membership.members[0])
        #expect(membership.members.isEmpty)
        #expect(membership.known("a") != nil)
    }

    @Test func `a wait ends when somebody joins, when it is woken and when a worker is given up`() async throws {
        for act in [{ try self.join("a") }, { self.membership.wake() }, { self.membership.giveUp(1) }]
            as [@Sendable () throws -> Void]
        {
            async let waiting: Void = membership.change()
            try act()
            await waiting
        }
        #expect(membership.givenUp == 1)
    }

    @Test func `a state counts only for its own run`() {
        let held = HeldState(run: 5, committedStep: 3, keptStep: 4)
        #expect(held.has(5, step: 3) && !held.has(5, step: 4) && !held.has(6, step: 3))
        #expect(!HeldState().has(5, step: 0))
    }
}
