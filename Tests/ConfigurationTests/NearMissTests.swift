internal import Testing

@testable internal import Configuration

@Suite struct NearMissTests {
    @Test func `a name with a slip finds the one that was meant`() {
        let known = ["epochs", "epsilon", "batch-size", "lanes"]
        #expect(NearMiss.of("epoch", among: known) == "epochs")
        #expect(NearMiss.of("Batch_Size", among: known) == "batch-size")
        #expect(NearMiss.of("lane", among: known) == "lanes")
    }

    @Test func `a name far from all finds none`() {
        #expect(NearMiss.of("colour", among: ["epochs", "lanes"]) == nil)
        #expect(NearMiss.of("x", among: ["y"]) == nil)
        #expect(NearMiss.of("epochs", among: []) == nil)
    }

    @Test func `the distance counts insertions, deletions and replacements`() {
        #expect(NearMiss.distance("", "abc") == 3)
        #expect(NearMiss.distance("abc", "") == 3)
        #expect(NearMiss.distance("kitten", "sitting") == 3)
        #expect(NearMiss.distance("same", "same") == 0)
    }
}
