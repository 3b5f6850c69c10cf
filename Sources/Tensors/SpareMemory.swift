internal import Glibc
internal import Synchronization

/// Memory for short-lived buffers, reused so that a step does not allocate.
///
/// Sizes are powers of two; contents are whatever the last user left.
enum SpareMemory {
    /// A block belongs to one buffer, or is free and kept here.
    @safe
    struct Piece: @unchecked Sendable {  // One owner at a time: a buffer, or the list under its lock.
        let base: UnsafeMutablePointer<Float>
        let capacity: Int
    }

    /// Free blocks by the binary logarithm of their size.
    private static let pieces = Mutex([[Piece]](repeating: [], count: Int.bitWidth))
    /// Free blocks of one size to keep, at least one for each thread; surplus blocks are returned to the system.
    private static let kept = max(16, sysconf(CInt(_SC_NPROCESSORS_ONLN)))

    static func take(_ count: Int) -> Piece {
        var capacity = 1_024
        while capacity < count { capacity *= 2 }
        if let piece = pieces.withLock({ $0[capacity.trailingZeroBitCount].popLast() }) { return piece }
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: capacity * MemoryLayout<Float>.stride, alignment: 64)
        return unsafe Piece(base: bytes.bindMemory(to: Float.self, capacity: capacity), capacity: capacity)
    }

    static func giveBack(_ piece: Piece) {
        let stays = pieces.withLock { pieces in
            let place = piece.capacity.trailingZeroBitCount
            guard pieces[place].count < kept else { return false }
            pieces[place].append(piece)
            return true
        }
        if !stays { unsafe piece.base.deallocate() }
    }
}

/// Lends `body` exclusive use of `count` elements of unspecified value, the same memory as before if it is free.
/// - Complexity: O(1), once there has been memory of this size.
@unsafe
package func withScratch(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    let piece = SpareMemory.take(count)
    unsafe body(piece.base)
    SpareMemory.giveBack(piece)
}
