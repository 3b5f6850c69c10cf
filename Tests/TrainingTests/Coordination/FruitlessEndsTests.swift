import Testing

@testable import Coordination

@Suite struct FruitlessEndsTests {
    private let start = ContinuousClock.now

    @Test func `many ends within a minute are borne with, a few over more than that are not`() {
        var ends = FruitlessEnds()
        for number in 1...20 {
            ends.add(at: start + .milliseconds(100 * number))
            #expect(!ends.isTooMany(at: start + .seconds(59)))
            #expect(ends.isTooMany(at: start + .seconds(61)) == (number > 5), "\(number)")
        }
        ends = FruitlessEnds()
        #expect(!ends.isTooMany(at: start + .seconds(1_000)))
    }

    @Test func `the pause before the next generation grows and has a limit`() {
        var ends = FruitlessEnds()
        var pauses: [Duration] = []
        for _ in 0..<11 {
            pauses.append(ends.pause)
            ends.add(at: start)
        }
        let expected = [0, 0, 0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 6_400]
        #expect(pauses == expected.map { .milliseconds($0) })
    }
}
