internal import CVectorMath

// Functions of one number in double precision, with the same bits on every processor and with any C library.

/// Natural logarithm of a positive number.
package func naturalLogarithm(_ x: Double) -> Double { apus_log(x) }

/// e to the power of `x`.
package func exponential(_ x: Double) -> Double { apus_exponential(x) }

/// `x` to the power of `n`, by repeated squaring.
package func power(_ x: Double, _ n: Int) -> Double {
    precondition(n >= 0, "a power of \(n)")
    return apus_power(x, UInt64(n))
}

/// The cosine of π times `x`.
package func cosineOfPi(_ x: Double) -> Double { apus_cosine_of_pi(x) }
