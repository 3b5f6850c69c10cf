/// Borrowed consecutive `Float`s inside a ``FloatBuffer``, for reading and writing.
///
/// A view keeps its buffer alive, and has no lock: code that shares one gives each thread its own part to write.
/// Bounds are checked when a view is sliced, not at each element of a kernel.
@safe
package struct FloatView: @unchecked Sendable {  // Shared by design; the step's phases prevent concurrent writes.
    package let base: UnsafeMutablePointer<Float>
    package let count: Int
    /// Keeps the memory alive.
    package let owner: AnyObject

    @unsafe
    package init(base: UnsafeMutablePointer<Float>, count: Int, owner: AnyObject) {
        unsafe self.base = base
        self.count = count
        self.owner = owner
    }

    /// The elements of `range`.
    package subscript(range: Range<Int>) -> FloatView {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "\(range) is outside of \(count) elements")
        return unsafe FloatView(base: base + range.lowerBound, count: range.count, owner: owner)
    }

    /// The `count` elements from `offset` on.
    package func part(from offset: Int, count: Int) -> FloatView { self[offset..<(offset + count)] }

    package subscript(index: Int) -> Float {
        get {
            precondition(index >= 0 && index < count, "element \(index) of \(count)")
            return unsafe base[index]
        }
        nonmutating set {
            precondition(index >= 0 && index < count, "element \(index) of \(count)")
            unsafe base[index] = newValue
        }
    }

    package func fill(_ value: Float) { unsafe base.update(repeating: value, count: count) }

    package func copy(from other: FloatView) {
        precondition(other.count == count, "\(other.count) elements do not fill \(count)")
        unsafe base.update(from: other.base, count: count)
    }

    package func copy(from values: [Float]) {
        precondition(values.count == count, "\(values.count) elements do not fill \(count)")
        for index in 0..<count { unsafe base[index] = values[index] }
    }

    package var array: [Float] { unsafe Array(UnsafeBufferPointer(start: base, count: count)) }

    /// Lends the elements as a span.
    package func withSpan<Result, Failure: Error>(_ body: (Span<Float>) throws(Failure) -> Result) throws(Failure)
        -> Result
    {
        try unsafe body(UnsafeBufferPointer(start: base, count: count).span)
    }

    /// Lends the elements as a mutable span.
    package func withMutableSpan<Result, Failure: Error>(
        _ body: (inout MutableSpan<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var span = unsafe UnsafeMutableBufferPointer(start: base, count: count).mutableSpan
        return try body(&span)
    }
}
