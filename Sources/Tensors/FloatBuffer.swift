internal import Glibc

/// The owner of a fixed number of `Float`s, initially zero unless it is scratch, aligned to a cache line.
///
/// All numeric memory of the program belongs to a `FloatBuffer`; everything else holds a ``FloatView`` of it.
@safe
package final class FloatBuffer: Sendable {
    /// Number of elements, fixed at creation.
    package let count: Int
    // The memory is this object's own until it is released; users of its views prevent concurrent writes.
    nonisolated(unsafe) private let base: UnsafeMutablePointer<Float>
    /// Bytes mapped from the system; 0 if it came from the heap.
    private let mappedBytes: Int
    /// Set if the memory came from ``SpareMemory``.
    private let spare: SpareMemory.Piece?

    /// From this size on, memory is mapped from the system, page by page as it is first touched.
    private static let mappedFrom = 1 << 20

    /// - Parameter whole: how many of the first elements will all be used. The system may back them with huge pages,
    ///   which suit products over scattered rows; untouched rows beyond them shall not occupy memory.
    /// - Complexity: O(`count`) below a megabyte, O(1) above it.
    package init(count: Int, whole: Int = 0) {
        precondition(count >= 0, "a buffer cannot hold \(count) elements")
        let byteCount = max(count, 16) * MemoryLayout<Float>.stride
        if byteCount >= Self.mappedFrom {
            let mapped = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            guard unsafe mapped != MAP_FAILED, let mapped = unsafe mapped else {
                preconditionFailure("\(byteCount) bytes of memory cannot be allocated")
            }
            unsafe base = mapped.bindMemory(to: Float.self, capacity: count)
            mappedBytes = byteCount
            // A hint: without huge pages everything still works.
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

    /// A short-lived buffer of unspecified value: a later one reuses its memory.
    /// - Complexity: O(1), once there has been one of this size.
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
