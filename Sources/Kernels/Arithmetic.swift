internal import CVectorMath

/// Which arithmetic this process computes with: see docs/arithmetic.md.
package enum Arithmetic {
    /// Raised by every change that alters the bits of a training run.
    package static let number = 1

    /// Equal for processes that compute the same bits: the number, and the library that multiplies if it is not Apus's
    /// own kernels.
    package static var description: String {
        "arithmetic \(number)" + (BLAS.openBLAS.map { " with \($0.description)" } ?? "")
    }

    /// Instruction set of the vector kernels, all of which give the same bits.
    package static var vectorLevel: String { unsafe String(cString: apus_vector_level()) }

    /// Whether the vector kernels run on this processor.
    package static var isSupported: Bool { apus_vector_supported() != 0 }

    /// Whether the compiler optimized the vector kernels, as every build must.
    package static var isOptimized: Bool { apus_is_optimized() != 0 }

    /// Makes the calling thread round to nearest and keep subnormal numbers, whatever mode a library has set.
    ///
    /// A thread inherits the mode from the thread that creates it. Every thread calls this before it computes, at each
    /// step.
    /// - Returns: whether another mode was set.
    /// - Complexity: a few processor cycles.
    @discardableResult
    package static func setFloatEnvironment() -> Bool { apus_set_float_environment() != 0 }

    /// For tests: makes the calling thread flush subnormal numbers to zero.
    package static func flushToZero() { apus_flush_to_zero() }
}
