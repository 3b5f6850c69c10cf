import Synchronization
import Testing
import Transport

@testable import Coordination

@Suite struct RefusalNoticesTests {
    private let start = ContinuousClock.now

    @Test func `each cause is said once a minute`() {
        var notices = RefusalNotices()
        let keys = (0..<2).map { _ in KeyPair.generate().publicKey }
        for key in keys {
            #expect(notices.note(.unknownKey(key), at: start) == true)
            #expect(notices.note(.unknownKey(key), at: start + .seconds(59)) == false)
        }
        #expect(notices.note(.otherCoordinator, at: start + .seconds(1)) == true)
        #expect(notices.note(.unknownKey(keys[0]), at: start + .seconds(60)) == true)
        #expect(notices.note(.otherCoordinator, at: start + .seconds(60)) == false)
    }

    @Test func `whoever makes up keys writes no log`() {
        var notices = RefusalNotices()
        let said = (0..<100).count {
            notices.note(.unknownKey(KeyPair.generate().publicKey), at: start + .milliseconds($0))
        }
        #expect(said == RefusalNotices.most)
        #expect(notices.note(.otherCoordinator, at: start + .seconds(61)) == true)
    }

    @Test func `what was refused before the log was there is said first`() {
        let report = RefusalReport()
        let key = KeyPair.generate().publicKey
        report.note(.unknownKey(key), from: "192.0.2.1", file: "keys/coordinator.key")
        let lines = Lines()
        report.begin { lines.add($0) }
        report.note(.otherCoordinator, file: nil)
        #expect(lines.all.count == 2)
        #expect(
            lines.all[0].contains(key.text) && lines.all[0].contains("192.0.2.1")
                && lines.all[0].contains("keys/coordinator.key"))
    }
}

private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    func add(_ line: String) { lines.withLock { $0.append(line) } }

    var all: [String] { lines.withLock { $0 } }
}
