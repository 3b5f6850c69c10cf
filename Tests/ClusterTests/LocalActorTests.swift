import Distributed
import Testing

@testable import Cluster

/// The names of calls on the wire.
@Suite struct LocalActorTests {
    @Test func `a call is named after its actor's type and its function, without module and labels`() {
        typealias Ours = Tally<LocalTestingDistributedActorSystem>
        #expect(Ours.wireName(of: RemoteCallTarget("$s12ClusterTests5TallyC3addyS2iYaKFTE")) == "tally.add")
        #expect(Other.wireName(of: RemoteCallTarget("$s12ClusterTests5OtherC3addyS2iYaKFTE")) == "other.add")
    }

    @Test func `functions of the actor's own type are told from others`() async throws {
        let tally = Tally(actorSystem: LocalTestingDistributedActorSystem())
        let argument = InvocationEncoder.payload(of: [5])
        #expect(try await tally.result(of: "tally.add", argument)?.payload == Array("5".utf8))
        for other in [
            "other.add", "tally", "tally.", "tally.nothing", "tallyadd", "tally.add.", ".add", "", "add",
            "$s12ClusterTests5TallyC3addyS2iYaKFTE",
        ] {
            #expect(try await tally.result(of: other, argument) == nil, "\(other)")
        }
        await #expect(throws: ClusterError.self) { try await tally.result(of: "tally.add", []) }
    }

    @Test func `an error is named by itself, whatever its type is called`() {
        let bytes = Wire.encode(failure: TallyError.negative(3))
        #expect(String(decoding: bytes, as: UTF8.self).contains("\"tally-error\""))
        #expect(
            Wire.decode(failure: bytes, known: ["tally-error": TallyError.self]) as? TallyError == .negative(3))
        #expect(
            Wire.decode(failure: bytes, known: [:]) as? ClusterError
                == .remote(type: "tally-error", description: "negative(3)"))
    }
}
