internal import CZlib

/// Unpacks gzip in memory, with a limit on what comes out.
///
/// Source of the format: RFC 1952. A file may have several members, one after another, and zeros behind the last one.
package enum Gunzip {
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

    /// Bytes that zlib writes at once.
    private static let piece = 1 << 18
    /// Deflate makes a byte of at most that many.
    private static let mostExpansion = 1_032

    /// All members' contents. Checksums and lengths are compared.
    /// - Complexity: O(bytes in and out) time; memory for what comes out, at most `limit`.
    package static func unpack(_ bytes: [UInt8], limit: Int) throws(Failure) -> [UInt8] {
        var stream = unsafe z_stream()
        // 15: the largest window; 16 more: gzip's header and trailer.
        guard unsafe inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .outOfMemory
        }
        defer { unsafe inflateEnd(&stream) }
        var output: [UInt8] = []
        output.reserveCapacity(expectedLength(bytes, limit: limit))
        var buffer = [UInt8](repeating: 0, count: piece)
        var offset = 0
        while true {
            // zlib counts in 32 bits.
            let most = min(bytes.count - offset, 1 << 30)
            let (status, taken, made) = unsafe bytes.withUnsafeBufferPointer { input in
                unsafe buffer.withUnsafeMutableBufferPointer { room in
                    unsafe stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress.map { unsafe $0 + offset })
                    unsafe stream.avail_in = UInt32(most)
                    unsafe stream.next_out = room.baseAddress
                    unsafe stream.avail_out = UInt32(room.count)
                    let status = unsafe inflate(&stream, Z_NO_FLUSH)
                    return unsafe (status, most - Int(stream.avail_in), room.count - Int(stream.avail_out))
                }
            }
            offset += taken
            guard output.count + made <= limit else { throw .tooLong(limit: limit) }
            output.append(contentsOf: buffer[..<made])
            switch status {
            case Z_STREAM_END:
                guard offset < bytes.count else { return output }
                guard isCompressed(bytes[offset...]) else {
                    guard bytes[offset...].allSatisfy({ $0 == 0 }) else {
                        throw .damaged("other bytes follow after its end")
                    }
                    return output
                }
                unsafe inflateReset(&stream)
            case Z_OK where taken > 0 || made > 0: continue
            case Z_OK, Z_BUF_ERROR: throw .cut
            case Z_MEM_ERROR: throw .outOfMemory
            default: throw unsafe .damaged(stream.msg.map { unsafe String(cString: $0) } ?? "error \(status)")
            }
        }
    }

    /// What the trailer says, as far as it is possible; it is a hint only.
    private static func expectedLength(_ bytes: [UInt8], limit: Int) -> Int {
        guard bytes.count > 18 else { return 0 }
        let length = bytes.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        return min(length, limit, bytes.count * mostExpansion)
    }
}
