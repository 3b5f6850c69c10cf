import Testing

@testable import Cluster

@Suite struct AnsweredCallsTests {
    private let calls = Book()

    @Test func `a call that comes twice is executed once`() {
        #expect(calls.arrived(1, settledBelow: 1) == .execute)
        #expect(calls.arrived(1, settledBelow: 1) == .ignore)
        calls.answered(1, with: [7])
        #expect(calls.arrived(1, settledBelow: 1) == .repeatAnswer([7]))
    }

    @Test func `an answer is kept until its caller has it, and its call is never executed again`() {
        #expect(calls.arrived(1, settledBelow: 1) == .execute)
        calls.answered(1, with: [7])
        #expect(calls.arrived(2, settledBelow: 2) == .execute)
        #expect(calls.arrived(1, settledBelow: 1) == .ignore)
        calls.answered(1, with: [8])
        #expect(calls.arrived(1, settledBelow: 1) == .ignore)
    }

    @Test func `calls in progress are bounded`() {
        for call in 1...UInt64(AnsweredCalls.limit) { #expect(calls.arrived(call, settledBelow: 1) == .execute) }
        let next = UInt64(AnsweredCalls.limit) + 1
        #expect(calls.arrived(next, settledBelow: 1) == .refuse)
        #expect(calls.arrived(next, settledBelow: 2) == .execute)
    }
}

/// A book of calls, in a box that expectations may change.
private final class Book {
    private var calls = AnsweredCalls()

    func arrived(_ call: UInt64, settledBelow: UInt64) -> AnsweredCalls.Decision {
        calls.arrived(call, settledBelow: settledBelow)
    }
    func answered(_ call: UInt64, with bytes: [UInt8]) { calls.answered(call, with: bytes) }
}
