import Testing

@testable import Cluster

@Suite struct FailureDetectorTests {
    let start = ContinuousClock.now

    @Test func `who is silent for too long is lost, once`() {
        let detector = Watch()
        #expect(detector.heard("a", at: start))
        #expect(detector.heard("b", at: start))
        for second in 1...2 {
            #expect(!detector.heard("b", at: start + .seconds(second)))
            #expect(detector.check(at: start + .seconds(second)) == [])
        }
        #expect(detector.check(at: start + .seconds(3)) == ["a"])
        #expect(detector.check(at: start + .seconds(4)) == [])
        #expect(detector.check(at: start + .seconds(5)) == ["b"])
    }

    @Test func `after its own suspension it accuses nobody`() {
        let detector = Watch()
        _ = detector.heard("a", at: start)
        #expect(detector.check(at: start) == [])
        #expect(detector.check(at: start + .seconds(60)) == [])
        #expect(detector.check(at: start + .seconds(61)) == [])
        #expect(detector.check(at: start + .seconds(62)) == [])
        #expect(detector.check(at: start + .seconds(63)) == ["a"])
    }

    @Test func `a process that comes back is new`() {
        let detector = Watch()
        _ = detector.heard("a", at: start)
        #expect(detector.forget("a"))
        #expect(!detector.forget("a"))
        #expect(detector.heard("a", at: start + .seconds(1)))
    }
}

/// A detector of three seconds, in a box that expectations may change.
private final class Watch {
    private var detector = FailureDetector(lossAfter: .seconds(3))

    func heard(_ process: String, at now: ContinuousClock.Instant) -> Bool { detector.heard(process, at: now) }
    func forget(_ process: String) -> Bool { detector.forget(process) }
    func check(at now: ContinuousClock.Instant) -> [String] { detector.check(at: now) }
}
