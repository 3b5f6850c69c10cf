internal import Glibc

/// The target that `APUS_FUZZ_TARGET` names.
private let chosen: FuzzTarget? = unsafe getenv("APUS_FUZZ_TARGET").flatMap {
    unsafe FuzzTarget(rawValue: String(cString: $0))
}

/// What libFuzzer calls for each input; see Benchmarks/fuzz.sh.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let chosen else { fatalError("APUS_FUZZ_TARGET names none of \(FuzzTarget.allCases.map(\.rawValue))") }
    let input = unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
    chosen.run(input)
    return 0
}
