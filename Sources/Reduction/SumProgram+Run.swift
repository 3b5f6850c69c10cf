extension SumProgram {
    /// Elements per chunk of an addition: a few chunks fit the L1 cache.
    private static let run = 2_048

    /// Scratch that ``evaluate(_:into:count:scratch:)`` needs in addition to the destination.
    package var scratchElements: Int { (scratchCount - 1) * Self.run }

    /// Computes the sum of `leaves`, element by element.
    ///
    /// Shapes: each leaf and `destination` (count); `scratch` (``scratchElements``). Leaves need no alignment.
    /// - Parameter leaf: returns the address of a leaf.
    /// - Complexity: each leaf is read once from memory, the destination written once.
    @unsafe
    package func evaluate(
        _ leaf: (Int) -> UnsafeRawPointer, into destination: UnsafeMutablePointer<Float>, count: Int,
        scratch: UnsafeMutablePointer<Float>
    ) {
        if let only = onlyLeaf {
            unsafe UnsafeMutableRawPointer(destination).copyMemory(
                from: leaf(only), byteCount: count * MemoryLayout<Float>.stride)
            return
        }
        var start = 0
        while start < count {
            let length = min(Self.run, count - start)
            for addition in additions {
                let left = unsafe address(addition.left, leaf, start, destination, scratch)
                let right = unsafe address(addition.right, leaf, start, destination, scratch)
                unsafe addElements(left, right, into: place(addition.into, start, destination, scratch), count: length)
            }
            start += length
        }
    }

    @unsafe
    private func place(
        _ index: Int, _ start: Int, _ destination: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutablePointer<Float>
    ) -> UnsafeMutablePointer<Float> {
        unsafe index == 0 ? destination + start : scratch + (index - 1) * Self.run
    }

    @unsafe
    private func address(
        _ operand: Operand, _ leaf: (Int) -> UnsafeRawPointer, _ start: Int, _ destination: UnsafeMutablePointer<Float>,
        _ scratch: UnsafeMutablePointer<Float>
    ) -> UnsafeRawPointer {
        switch operand {
        case .leaf(let place): unsafe leaf(place) + start * MemoryLayout<Float>.stride
        case .scratch(let index): unsafe UnsafeRawPointer(place(index, start, destination, scratch))
        }
    }
}

/// `sum = left + right`, element by element. `sum` may be `left` or `right` itself; neither source needs alignment.
@unsafe
package func addElements(
    _ left: UnsafeRawPointer, _ right: UnsafeRawPointer, into sum: UnsafeMutablePointer<Float>, count: Int
) {
    for index in 0..<count {
        let byte = index &* MemoryLayout<Float>.stride
        unsafe sum[index] =
            left.loadUnaligned(fromByteOffset: byte, as: Float.self)
            + right.loadUnaligned(fromByteOffset: byte, as: Float.self)
    }
}
