/// The owner of a fixed run of `Float`, zero at first and aligned to a cache line.
///
/// All numeric memory of the program belongs to a `FloatBuffer`; everything else holds a ``FloatView`` of it.
@safe
package final class FloatBuffer: Sendable {
    /// Number of elements, fixed at creation.
    package let count: Int
    nonisolated(unsafe) private let base: UnsafeMutablePointer<Float>

    /// - Complexity: O(`count`).
    package init(count: Int) {
        precondition(count >= 0, "a buffer cannot hold \(count) elements")
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: max(count, 16) * MemoryLayout<Float>.stride, alignment: 64)
        unsafe base = bytes.bindMemory(to: Float.self, capacity: count)
        unsafe base.initialize(repeating: 0, count: count)
        self.count = count
    }

    deinit { unsafe base.deallocate() }

    /// All elements.
    package var view: FloatView { unsafe FloatView(base: base, count: count, owner: self) }
}
