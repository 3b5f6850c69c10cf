/// Core types of OpenBLAS that usual processors of this architecture can compute with; `old` is not the default of any.
///
/// `name` is what `OPENBLAS_CORETYPE` takes, `shown` how the library calls it.
struct CoreType {
    let name, shown: String

    #if arch(arm64)
    static let old = CoreType(name: "THUNDERX", shown: "thunderx")
    static let other = CoreType(name: "CORTEXA57", shown: "cortexa57")
    #else
    static let old = CoreType(name: "Nehalem", shown: "Nehalem")
    static let other = CoreType(name: "Haswell", shown: "Haswell")
    #endif
}
