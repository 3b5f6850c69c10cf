internal import Kernels
internal import Wording

/// The output of `apus --version`, on which all hosts of a run must agree.
enum Version {
    static var description: String {
        "apus \(Build.version), \(Arithmetic.description), vector kernels \(Arithmetic.vectorLevel)"
    }
}
