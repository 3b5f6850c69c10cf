internal import CVectorMath
package import Wording

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

    /// The instruction sets that this processor has kernels for, the fastest first.
    package static var vectorLevels: [String] {
        var levels: [String] = []
        while let level = unsafe apus_vector_level_at(levels.count) { unsafe levels.append(String(cString: level)) }
        return levels
    }

    /// What to say where no instruction set with vectors and fused multiply-adds is in use; nil where one is.
    package static var doubt: String? {
        vectorLevel == "portable"
            ? "computing without AVX2 or NEON, some fifty times slower than with them; the bits are the same" : nil
    }

    /// Computes as a processor would that has no more than this instruction set: more slowly, with the same bits.
    ///
    /// - Parameter level: one of ``vectorLevels``; any other one ends in an error that says so.
    package static func limit(to level: String) throws(InputError) {
        guard useVectorLevel(level) else {
            throw InputError(
                "APUS_VECTOR_LEVEL is '\(level)', expected one that this processor has: "
                    + "\(vectorLevels.joined(separator: ", "))")
        }
        if level != vectorLevels[0] { Precision.use(.none) }
    }

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
