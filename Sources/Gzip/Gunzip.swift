/// Gzip, with a limit on what comes out.
///
/// Source of the format: RFC 1952. A file may have several members, one after another, and zeros behind the last one.
package enum Gunzip {
    /// Why the data cannot be unpacked.
    package enum Failure: Error, Equatable {
        /// The data end within a member.
        case cut
        /// What is wrong, in zlib's words or these.
        case damaged(String)
        /// More than that many bytes come out.
        case tooLong(limit: Int)
        case outOfMemory
    }

    package static func isCompressed(_ bytes: some Collection<UInt8>) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

    /// All members' contents. Checksums and lengths are compared.
    /// - Complexity: O(bytes in and out) time; memory for what comes out, at most `limit`.
    package static func unpack(_ bytes: [UInt8], limit: Int) throws(Failure) -> [UInt8] {
        var rest = bytes[...]
        let stream = try GunzipStream(limit: limit) {
            defer { rest = [] }
            return rest
        }
        var output: [UInt8] = []
        do {
            while true {
                let part = try stream.next()
                guard !part.isEmpty else { return output }
                output += part
            }
        } catch let failure as Failure {
            throw failure
        } catch {
            preconditionFailure("bytes in memory have no reader that fails: \(error)")
        }
    }
}
