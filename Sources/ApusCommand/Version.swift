internal import Kernels

/// The output of `apus --version`, on which all hosts of a run must agree.
enum Version {
    static let number = "0.1.0"
    static var description: String { "apus \(number), \(Arithmetic.description), vector kernels \(Arithmetic.vectorLevel)" }
}
