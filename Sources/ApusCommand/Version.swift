internal import Kernels

/// What `apus --version` says, and what hosts of one run must agree on.
enum Version {
    static let number = "0.1.0"
    static var description: String { "apus \(number), \(Arithmetic.description), vector kernels \(Arithmetic.vectorLevel)" }
}
