import Foundation
import Hashes
import Testing

@Suite struct HashesTests {
    static func digits(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    // Source: NIST, example values of the Secure Hash Standard.
    @Test func `the hashes of abc are those of the standard`() {
        #expect(
            Self.digits(RunningHash.sha256(Array("abc".utf8)))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        var hash = RunningHash(.sha1)
        hash.update(Array("abc".utf8))
        #expect(Self.digits(hash.finish()) == "a9993e364706816aba3e25717850c26c9cd0d89d")
    }

    @Test func `pieces give the hash of the whole`() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        var hash = RunningHash()
        hash.update([])
        for start in stride(from: 0, to: 1000, by: 77) { hash.update(Array(bytes[start..<min(start + 77, 1000)])) }
        #expect(hash.finish() == RunningHash.sha256(bytes))
        #expect(
            Self.digits(RunningHash.sha256([])) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    // Source: RFC 5869, test case 3, its first 32 bytes; and keys that released versions have derived.
    @Test func `derived keys are those of the standard`() {
        #expect(
            Self.digits(DerivedKey.bytes(secret: [UInt8](repeating: 0x0b, count: 22), purpose: []))
                == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d")
        let secret = Array(String(repeating: "0123456789abcdef", count: 2).utf8)
        #expect(
            Self.digits(DerivedKey.bytes(secret: secret, purpose: Array("apus curve coordinator".utf8)))
                == "332285839d7fa0afaf28cb2cb31e2faa067612d3908afc6929e6333936bac5ce")
    }

    /// What is registered first runs last: after OpenSSL's own cleanup, had it registered one.
    @Test func `threads may hash until a process has ended`() async {
        await #expect(processExitsWith: .exitCode(3)) {
            atexit {
                let digest = HashesTests.digits(RunningHash.sha256(Array("abc".utf8)))
                _exit(digest.hasPrefix("ba7816bf") ? 3 : 4)
            }
            _ = RunningHash.sha256([])
            exit(5)
        }
    }
}
