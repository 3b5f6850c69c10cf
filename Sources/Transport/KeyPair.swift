internal import CZeroMQ

/// A CURVE public key: 40 characters of Z85. Names a peer on the wire and in allow-lists.
package struct PublicKey: Hashable, Codable, Sendable, CustomStringConvertible {
    package let text: String

    /// Nil unless `text` is 40 characters of Z85.
    package init?(_ text: String) {
        guard isKey(text) else { return nil }
        self.text = text
    }

    /// Nil unless `binary` is the 32 bytes of a key.
    init?(binary: [UInt8]) {
        guard binary.count == 32 else { return nil }
        var characters = [CChar](repeating: 0, count: 41)
        guard unsafe zmq_z85_encode(&characters, binary, 32) != nil else { return nil }
        self.init(key(characters))
    }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard isKey(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not a key of 40 characters"))
        }
        self.text = text
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    package var description: String { text }
}

/// A CURVE secret key. Not `Codable`, and printing it does not reveal it.
package struct SecretKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    let text: String

    package init?(_ text: String) {
        guard isKey(text) else { return nil }
        self.text = text
    }

    package var description: String { "secret key" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// The two halves of one identity.
package struct KeyPair: Sendable {
    package let publicKey: PublicKey
    package let secretKey: SecretKey

    package init(publicKey: PublicKey, secretKey: SecretKey) {
        self.publicKey = publicKey
        self.secretKey = secretKey
    }

    /// The identity whose secret half is these 32 bytes.
    package init(secret: [UInt8]) {
        precondition(secret.count == 32, "a CURVE secret has \(secret.count) bytes, expected 32")
        var secretText = [CChar](repeating: 0, count: 41)
        var publicText = [CChar](repeating: 0, count: 41)
        let isDone =
            unsafe zmq_z85_encode(&secretText, secret, 32) != nil && zmq_curve_public(&publicText, secretText) == 0
        precondition(isDone, "this libzmq was built without CURVE: install Debian's libzmq5")
        self.init(publicKey: PublicKey(key(publicText))!, secretKey: SecretKey(key(secretText))!)
    }

    /// Whether the public half is that of the secret one.
    var isWhole: Bool {
        var publicText = [CChar](repeating: 0, count: 41)
        return unsafe zmq_curve_public(&publicText, secretKey.text) == 0 && key(publicText) == publicKey.text
    }

    /// A new identity from the system's random number generator.
    package static func generate() -> KeyPair {
        var publicText = [CChar](repeating: 0, count: 41)
        var secretText = [CChar](repeating: 0, count: 41)
        let result = unsafe zmq_curve_keypair(&publicText, &secretText)
        precondition(result == 0, "this libzmq was built without CURVE: install Debian's libzmq5")
        return KeyPair(publicKey: PublicKey(key(publicText))!, secretKey: SecretKey(key(secretText))!)
    }
}

private func key(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix(40).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

private let alphabet = Set("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#".utf8)

private func isKey(_ text: String) -> Bool { text.utf8.count == 40 && text.utf8.allSatisfy(alphabet.contains) }
