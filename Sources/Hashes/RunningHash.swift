internal import CHashes

/// A hash over bytes that come in pieces.
@safe package struct RunningHash: ~Copyable {
    package enum Algorithm: Sendable {
        case sha256
        /// For Git's names of files, not against forgery.
        case sha1
    }

    private let state: OpaquePointer

    package init(_ algorithm: Algorithm = .sha256) {
        guard let state = unsafe apus_hash_make(algorithm == .sha1 ? APUS_SHA1 : APUS_SHA256) else {
            fatalError("OpenSSL has no memory for a hash, or lacks \(algorithm)")
        }
        unsafe self.state = state
    }

    deinit { unsafe apus_hash_free(state) }

    /// Adds bytes.
    package mutating func update(_ bytes: RawSpan) {
        let done = unsafe bytes.withUnsafeBytes { unsafe apus_hash_update(state, $0.baseAddress, $0.count) }
        precondition(done == 1, "OpenSSL cannot hash")
    }

    package mutating func update(_ bytes: [UInt8]) { unsafe update(bytes.span.bytes) }

    /// The hash: 32 bytes of SHA-256, 20 of SHA-1.
    package consuming func finish() -> [UInt8] {
        let largest = Int(APUS_HASH_LARGEST_BYTES)
        return unsafe [UInt8](unsafeUninitializedCapacity: largest) { buffer, count in
            let done = unsafe apus_hash_finish(state, buffer.baseAddress, &count)
            precondition(done == 1, "OpenSSL cannot hash")
        }
    }

    /// The SHA-256 of some bytes.
    package static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        var hash = RunningHash()
        hash.update(bytes)
        return hash.finish()
    }
}
