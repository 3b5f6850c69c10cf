internal import Kernels
internal import Training

/// What `apus --version` says, and what hosts of one run must agree on.
enum Version {
    static var description: String { "apus \(Build.version), \(Arithmetic.description), vector kernels \(Arithmetic.vectorLevel)" }
}
