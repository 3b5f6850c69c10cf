import Cluster
import Testing
import Transport

@testable import Coordination

@Suite struct RefusalAdviceTests {
    @Test func `the key that is refused and what to do are named`() {
        let key = KeyPair.generate().publicKey
        func line(_ refusal: CoordinatorContact.Refusal, file: String?) -> String {
            let advice = RefusalAdvice(refusal: refusal, endpoint: "tcp://a:1", key: key, file: file)
            return "\(advice.cause): \(advice.remedy)"
        }
        for refusal in [CoordinatorContact.Refusal.ownKey, .otherKey, .differsInKeys] {
            #expect(line(refusal, file: "w.key").contains("key \(key) of w.key"))
            #expect(line(refusal, file: nil).contains("key \(key) from \(KeySource.secret)"))
        }
        #expect(line(.ownKey, file: "w.key").contains("add the line 'worker \(key)' to the coordinator's key file"))
        #expect(line(.otherKey, file: "w.key").contains("from the same 'apus keygen'"))
        #expect(line(.otherKey, file: nil).contains("the same \(KeySource.secret)"))
        #expect(line(.differsInKeys, file: "w.key").contains("has no keys (--insecure)"))
        let plain = RefusalAdvice(refusal: .otherKey, endpoint: "tcp://a:1", key: nil, file: nil)
        #expect(plain.remedy.contains("If it has keys"))
    }
}
