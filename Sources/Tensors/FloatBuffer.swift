internal import Glibc

/// The owner of a fixed run of `Float`, zero at first unless it is scratch, and aligned to a cache line.
///
/// All numeric memory of the program belongs to a `FloatBuffer`; everything else holds a ``FloatView`` of it.
@safe
package final class FloatBuffer: Sendable {
    /// Number of elements, fixed at creation.
    package let count: Int
    // The memory is this object's own until it is released; views of it keep writers apart.
    nonisolated(unsafe) private let base: UnsafeMutablePointer<Float>
    /// Bytes mapped from the system; 0 where the heap serves.
    private let mappedBytes: Int
    /// Where the memory came from ``SpareMemory``.
    private let spare: SpareMemory.Piece?

    /// From this size on memory comes from the system page by page, as it is first touched.
    private static let mappedFrom = 1 << 20

    /// - Parameter whole: how many of the first elements will all be used. Their memory may come in large pages, which a product over
    ///   rows that lie apart finds sooner; rows that nobody touches are to stay without memory.
    /// - Complexity: O(`count`) below a megabyte, O(1) above it.
    package init(count: Int, whole: Int = 0) {
        precondition(count >= 0, "a buffer cannot hold \(count) elements")
        let byteCount = max(count, 16) * MemoryLayout<Float>.stride
        if byteCount >= Self.mappedFrom {
            let mapped = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            guard unsafe mapped != MAP_FAILED, let mapped = unsafe mapped else { preconditionFailure("\(byteCount) bytes of memory are not to be had") }
            unsafe base = mapped.bindMemory(to: Float.self, capacity: count)
            mappedBytes = byteCount
            // A hint: where the system has no large pages all else goes on.
            if whole > 0 { _ = unsafe madvise(mapped, min(whole, count) * MemoryLayout<Float>.stride, MADV_HUGEPAGE) }
        } else {
            let bytes = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
            unsafe base = bytes.bindMemory(to: Float.self, capacity: count)
            unsafe base.initialize(repeating: 0, count: count)
            mappedBytes = 0
        }
        self.count = count
        spare = nil
    }

    /// A buffer of unspecified value and for short use: a later one takes the same memory.
    /// - Complexity: O(1), once there was one of this size.
    package init(scratch count: Int) {
        precondition(count >= 0, "a buffer cannot hold \(count) elements")
        let piece = SpareMemory.take(count)
        unsafe base = piece.base
        mappedBytes = 0
        spare = piece
        self.count = count
    }

    deinit {
        if let spare { return SpareMemory.giveBack(spare) }
        if mappedBytes > 0 { unsafe munmap(base, mappedBytes) } else { unsafe base.deallocate() }
    }

    /// All elements.
    package var view: FloatView { unsafe FloatView(base: base, count: count, owner: self) }
}
