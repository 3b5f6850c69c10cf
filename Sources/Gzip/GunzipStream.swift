internal import CZlib

/// Unpacks gzip block by block, with a limit on what comes out.
@safe
package final class GunzipStream {
    private enum Phase {
        /// Within a member.
        case member
        /// Behind a member: another one, zeros or the end.
        case between
        /// In the zeros behind the last member.
        case padding
        case over
    }

    /// At one address for as long as zlib knows it.
    private let stream: UnsafeMutablePointer<z_stream>
    private let limit: Int
    private let more: () throws -> ArraySlice<UInt8>
    private var phase = Phase.member
    private var input: ArraySlice<UInt8> = []
    private var hasMore = true
    private var written = 0
    private var buffer = [UInt8](repeating: 0, count: 1 << 18)

    /// - Parameters:
    ///   - limit: most bytes that may come out.
    ///   - more: returns the next packed bytes, none at their end. What it throws, ``next()`` throws.
    package init(limit: Int, more: @escaping () throws -> ArraySlice<UInt8>) throws(Gunzip.Failure) {
        self.limit = limit
        self.more = more
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // 15: the largest window; 16 more: gzip's header and trailer.
        guard unsafe inflateInit2_(stream, 15 + 16, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .outOfMemory
        }
    }

    deinit {
        // Of a stream that could not be opened, zlib knows nothing and does nothing.
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// The next contents; none at the end. Checksums and lengths of a member are compared at its end.
    /// - Throws: ``Gunzip/Failure``, or what the packed bytes' reader throws.
    package func next() throws -> ArraySlice<UInt8> {
        while true {
            if input.isEmpty { try fill() }
            switch phase {
            case .member:
                let made = try inflateOnce()
                if made > 0 { return buffer[..<made] }
            case .between:
                if input.count == 1 { try fill() }
                if Gunzip.isCompressed(input) {
                    unsafe inflateReset(stream)
                    phase = .member
                } else {
                    phase = .padding
                }
            case .padding:
                guard input.allSatisfy({ $0 == 0 }) else {
                    throw Gunzip.Failure.damaged("other bytes follow after its end")
                }
                input = []
                if !hasMore { phase = .over }
            case .over: return []
            }
        }
    }

    /// Adds packed bytes, if there are any.
    private func fill() throws {
        guard hasMore else { return }
        let found = try more()
        if found.isEmpty { hasMore = false }
        input = input.isEmpty ? found : input + found
    }

    /// - Returns: the bytes that are in the buffer now.
    private func inflateOnce() throws(Gunzip.Failure) -> Int {
        // zlib counts in 32 bits.
        let most = min(input.count, 1 << 30)
        let (status, taken, made) = unsafe input.withUnsafeBufferPointer { packed in
            unsafe buffer.withUnsafeMutableBufferPointer { room in
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: packed.baseAddress)
                unsafe stream.pointee.avail_in = UInt32(most)
                unsafe stream.pointee.next_out = room.baseAddress
                unsafe stream.pointee.avail_out = UInt32(room.count)
                let status = unsafe inflate(stream, Z_NO_FLUSH)
                return unsafe (
                    status, most - Int(stream.pointee.avail_in), room.count - Int(stream.pointee.avail_out)
                )
            }
        }
        input = input.dropFirst(taken)
        written += made
        guard written <= limit else { throw .tooLong(limit: limit) }
        switch status {
        case Z_STREAM_END: phase = .between
        case Z_OK where taken > 0 || made > 0: break
        case Z_OK, Z_BUF_ERROR: if !hasMore { throw .cut }
        case Z_MEM_ERROR: throw .outOfMemory
        default:
            throw unsafe .damaged(stream.pointee.msg.map { unsafe String(cString: $0) } ?? "error \(status)")
        }
        return made
    }
}
