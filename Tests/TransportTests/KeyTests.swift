import Foundation
import Testing

@testable import Transport

@Suite struct KeyTests {
    @Test func `generated keys differ and are well formed`() {
        let (one, other) = (KeyPair.generate(), KeyPair.generate())
        #expect(one.publicKey != other.publicKey)
        #expect(PublicKey(one.publicKey.text) == one.publicKey)
        #expect(PublicKey("too short") == nil)
        #expect(PublicKey(String(repeating: "~", count: 40)) == nil)
    }

    @Test func `printing a pair shows no secret`() {
        let pair = KeyPair.generate()
        var dumped = ""
        dump(pair, to: &dumped)
        for text in ["\(pair)", String(reflecting: pair), dumped] { #expect(!text.contains(pair.secretKey.text)) }
    }

    @Test func `a key file has mode 0600 and gives the ring back`() throws {
        try withFolder { folder in
            let path = folder + "/key"
            let rings = KeyRing.generate(workers: 3)
            try KeyFile.write(rings.coordinator, to: path)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            let read = try KeyFile.read(path)
            #expect(read.own.publicKey == rings.coordinator.own.publicKey)
            #expect(read.own.secretKey.text == rings.coordinator.own.secretKey.text)
            #expect(read.workers == rings.workers.map(\.own.publicKey) && read.coordinator == nil)
            #expect(throws: KeyFile.Failure.unwritable(path: path, code: EEXIST)) {
                try KeyFile.write(rings.coordinator, to: path)
            }
        }
    }

    @Test func `a key file that others may read is refused`() throws {
        try withFolder { folder in
            let path = folder + "/key"
            try KeyFile.write(KeyRing(own: .generate()), to: path)
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
            #expect(throws: KeyFile.Failure.exposed(path: path, mode: 0o644)) { try KeyFile.read(path) }
        }
    }

    @Test func `a worker's ring names its coordinator`() throws {
        let rings = KeyRing.generate(workers: 1)
        let read = try #require(KeyRing(text: "# worker 1\n" + rings.workers[0].text))
        #expect(read.coordinator == rings.coordinator.own.publicKey && read.workers.isEmpty)
    }

    @Test func `text that is not a key ring is refused`() {
        let text = KeyRing.generate(workers: 1).workers[0].text
        #expect(KeyRing(text: text) != nil)
        for wrong in [
            "", "public x\nsecret y\n", String(text.dropLast(5)), text + "public z\n",
            text.replacing("secret", with: "other"),
            text + "worker z\n", text.replacing("coordinator", with: "coordinators"),
        ] { #expect(KeyRing(text: wrong) == nil) }
    }
}

/// Gives `body` a fresh folder and removes it afterwards.
func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "apus-\(UInt32.random(in: 0 ... .max))")
    try FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder.path)
}
