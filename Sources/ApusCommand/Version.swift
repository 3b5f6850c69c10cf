internal import Kernels
internal import Wording

/// The output of `apus --version`: the arithmetic, on which all hosts of a run must agree, and what computes it here.
enum Version {
    static var description: String {
        "apus \(Build.version), \(Arithmetic.description), vector kernels \(Arithmetic.vectorLevel)"
    }
}
