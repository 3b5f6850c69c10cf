import Testing

@testable import Cluster

@Suite struct LocalActorTests {
    @Test func `functions of the actor's own type are told from others`() {
        let plain = LocalActor(actor: nil, type: "8Training5OtherC")
        #expect(plain.has("$s8Training5OtherC3addyS2iYaKFTE"))
        #expect(!plain.has("$s8Training6OthersC3addyS2iYaKFTE"))
        let generic = LocalActor(actor: nil, type: "8Training6WorkerCy7Cluster17ZeroMQActorSystemCG")
        #expect(generic.has("$s8Training6WorkerC3runyyYaKFTE"))
        #expect(!generic.has("$s8Training5OtherC3addyS2iYaKFTE"))
        #expect(!generic.has("$s8Training"))
        for nonsense in ["", "$s", "8Training6WorkerC3run", "nonsense"] { #expect(!generic.has(nonsense)) }
    }
}
