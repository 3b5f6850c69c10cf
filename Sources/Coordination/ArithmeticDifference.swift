/// Why a host must not train with this process: it computes different bits.
package struct ArithmeticDifference: CustomStringConvertible {
    /// The message, to be appended to the host's name.
    package let description: String

    /// - Parameters:
    ///   - there: number, description and fingerprint of the host.
    ///   - here: those of this process.
    /// - Returns: nil if both compute the same bits.
    package init?(
        there: (number: Int?, name: String?, fingerprint: String),
        here: (number: Int?, name: String?, fingerprint: String)
    ) {
        func shown(_ one: (number: Int?, name: String?, fingerprint: String)) -> String {
            one.name ?? one.number.map { "arithmetic \($0)" } ?? "an arithmetic without a number"
        }
        guard there.number == here.number else {
            description = "computes with \(shown(there)), this one with \(shown(here)): install the same build on both"
            return
        }
        guard there.fingerprint != here.fingerprint else { return nil }
        if there.name != here.name {
            description =
                "computes different bits from this one (\(shown(there)) there, \(shown(here)) here): install the "
                + "same OpenBLAS on both and set the same "
                + "OPENBLAS_CORETYPE, or use --blas own"
        } else {
            description =
                "computes different bits from this one although both have \(shown(here)): its processor, memory or "
                + "build is broken: leave it out"
        }
    }
}
