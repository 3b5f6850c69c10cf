internal import Glibc
internal import Synchronization

/// Memory that short-lived buffers take and give back, so that a step asks the system for none.
///
/// Pieces have sizes of powers of two; what they hold is what their last user left.
enum SpareMemory {
    /// A piece belongs to one buffer, or to nobody and lies here.
    @safe
    struct Piece: @unchecked Sendable {  // One owner at a time: a buffer, or the list under its lock.
        let base: UnsafeMutablePointer<Float>
        let capacity: Int
    }

    /// By the binary logarithm of their size.
    private static let pieces = Mutex([[Piece]](repeating: [], count: Int.bitWidth))
    /// Pieces of one size that stay, at least one for each thread; more than these are given back to the system.
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

/// Lends `body` alone `count` elements of unspecified value, the same ones as before where nobody else holds them.
/// - Complexity: O(1), once there was memory of this size.
@unsafe
package func withScratch(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    let piece = SpareMemory.take(count)
    unsafe body(piece.base)
    SpareMemory.giveBack(piece)
}
