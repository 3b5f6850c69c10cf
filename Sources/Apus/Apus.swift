internal import Kernels
internal import Wording

/// What a program that imports Apus sees.
public enum Apus {
    /// Version of this library and of the `apus` command.
    public static var version: String { Build.version }

    /// Which arithmetic this process computes with, as far as it decides bits.
    public static var arithmetic: String { Arithmetic.description }
}
