internal import CHashes

/// Keys that are derived from a secret.
package enum DerivedKey {
    /// 32 bytes by HKDF with SHA-256, without salt. Other purposes give unrelated keys. Source: RFC 5869.
    package static func bytes(secret: [UInt8], purpose: [UInt8]) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: 32) { key, count in
            let done = unsafe apus_derive_key(
                secret, secret.count, purpose, purpose.count, key.baseAddress, key.count)
            precondition(done == 1, "OpenSSL cannot derive a key")
            count = key.count
        }
    }
}
