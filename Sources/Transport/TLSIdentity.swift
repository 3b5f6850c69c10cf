internal import CTLS

/// SHA-256 of a worker's certificate: 64 hexadecimal digits in messages.
package struct CertificateDigest: Hashable, Codable, Sendable {
    let bytes: [UInt8]

    /// Nil unless there are 32 bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Int(APUS_TLS_DIGEST_BYTES) else { return nil }
        self.bytes = bytes
    }

    package init(from decoder: any Decoder) throws {
        let digits = try decoder.singleValueContainer().decode(String.self).utf8
            .map { Character(Unicode.Scalar($0)).hexDigitValue.map { UInt8($0) } ?? 16 }
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
        guard digits.count == 2 * bytes.count, !digits.contains(16), let digest = Self(bytes) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not a hash of 64 hexadecimal digits"))
        }
        self = digest
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(
            bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
    }
}

/// The key and the self-signed certificate with which this process proves itself on bulk links.
///
/// Each process makes one; it is never written anywhere. The handle never changes and OpenSSL guards it, hence
/// @unchecked.
@safe
package final class TLSIdentity: @unchecked Sendable {
    let handle: OpaquePointer
    package let digest: CertificateDigest

    /// - Throws: ``BulkLinkError`` if OpenSSL cannot make one.
    package init() throws(BulkLinkError) {
        var bytes = [UInt8](repeating: 0, count: Int(APUS_TLS_DIGEST_BYTES))
        guard let handle = unsafe apus_tls_identity_make(&bytes), let digest = CertificateDigest(bytes) else {
            throw BulkLinkError("OpenSSL makes no certificate: \(unsafe String(cString: apus_tls_failure()))")
        }
        unsafe self.handle = handle
        self.digest = digest
    }

    deinit { unsafe apus_tls_identity_free(handle) }
}

/// Why bulk links cannot be opened.
package struct BulkLinkError: Error, CustomStringConvertible, Sendable {
    package let description: String

    init(_ description: String) { self.description = description }
}
