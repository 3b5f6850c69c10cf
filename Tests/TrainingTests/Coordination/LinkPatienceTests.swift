import Testing

@testable import Coordination

@Suite struct LinkPatienceTests {
    private func worker(_ host: String, _ number: Int?) -> WorkerIdentity {
        WorkerIdentity(
            version: "1", fingerprint: "f", arithmetic: 1, arithmeticName: nil, host: host, hostName: host,
            processID: 1, threads: 1, number: number)
    }

    @Test func `the replacement of a worker without links has less time, until its links stand`() {
        var patience = LinkPatience()
        let all = [worker("a", 0), worker("b", 1)]
        #expect(patience.limit(for: all) == DataPlane.formingTime)
        patience.removed(all[1])
        #expect(patience.limit(for: all) == LinkPatience.shorter)
        #expect(patience.limit(for: [all[0], worker("b", 2)]) == DataPlane.formingTime)
        #expect(patience.limit(for: [worker("b", nil)]) == DataPlane.formingTime)
        patience.linked([all[0]])
        #expect(patience.limit(for: all) == LinkPatience.shorter)
        patience.linked(all)
        #expect(patience.limit(for: all) == DataPlane.formingTime)
    }

    @Test func `other reports are waited for the longer, the later the first one came`() {
        #expect(DataPlane.reportTime(after: .seconds(3)) == .seconds(2))
        #expect(DataPlane.reportTime(after: .seconds(27)) == .seconds(10))
        #expect(DataPlane.reportTime(after: .seconds(300)) == .seconds(10))
    }
}
