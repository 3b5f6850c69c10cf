import Testing

@testable import Cluster

@Suite struct OutgoingCallsTests {
    let start = ContinuousClock.now

    @Test func `each call has the next number and says what is settled`() async throws {
        var calls = OutgoingCalls()
        #expect(number(&calls) == [1, 1])
        try await waiting { continuation in
            calls.add(1, to: "a", target: "f", envelope: [], deadline: start, continuation: continuation)
            #expect(number(&calls) == [2, 1])
            calls.settle(1)?.continuation.resume(returning: [])
        }
        #expect(number(&calls) == [3, 3])
    }

    @Test func `a call is sent again at growing intervals, and at once when its process is found`() async throws {
        var calls = OutgoingCalls()
        try await waiting { continuation in
            calls.add(
                1, to: "a", target: "f", envelope: [7], deadline: start + .seconds(60), continuation: continuation)
            #expect(calls.due(at: start).isEmpty)
            #expect(calls.due(at: start + .seconds(5)).map(\.envelope) == [[7]])
            #expect(calls.due(at: start + .milliseconds(5_999)).isEmpty)
            #expect(calls.due(at: start + .seconds(6)).count == 1)
            #expect(calls.due(at: start + .seconds(7)).isEmpty)
            calls.resendAll(to: "b", at: start + .seconds(7))
            #expect(calls.due(at: start + .seconds(7)).isEmpty)
            calls.resendAll(to: "a", at: start + .seconds(7))
            #expect(calls.due(at: start + .seconds(7)).count == 1)
            calls.settle(1)?.continuation.resume(returning: [])
        }
    }

    @Test func `a suspension of this process postpones every deadline`() async throws {
        var calls = OutgoingCalls()
        try await waiting { continuation in
            calls.add(1, to: "a", target: "f", envelope: [], deadline: start + .seconds(10), continuation: continuation)
            calls.postpone(by: .seconds(30))
            let early = calls.settleAll { $0.deadline < start + .seconds(40) }
            #expect(early.isEmpty)
            let late = calls.settleAll { $0.deadline == start + .seconds(40) }
            #expect(late.count == 1)
            for call in early + late { call.continuation.resume(returning: []) }
        }
    }

    private func number(_ calls: inout OutgoingCalls) -> [UInt64] {
        let next = calls.nextNumber()
        return [next.call, next.settledBelow]
    }

    /// Gives `body` a continuation, which it must resume.
    private func waiting(_ body: (CheckedContinuation<[UInt8], any Error>) -> Void) async throws {
        _ = try await withCheckedThrowingContinuation { body($0) }
    }
}
