internal import Foundation
internal import Kernels

/// Chooses OpenBLAS's AVX-512 kernels on a processor that OpenBLAS does not know.
///
/// OpenBLAS up to 0.3.21 gives AMD's Zen 4 and later its Haswell or Zen kernels, at about half the speed of its SkylakeX
/// kernels there. It reads `OPENBLAS_CORETYPE` only while it is loaded, so the process starts over, once, with it set.
enum CoreType {
    static let variable = "OPENBLAS_CORETYPE"

    /// The core type to start over with, or nil to go on.
    static func better(than coreType: String, hasAVX512: Bool, given: String?) -> String? {
        guard given == nil, hasAVX512, coreType == "Haswell" || coreType == "Zen" else { return nil }
        return "SkylakeX"
    }

    /// Starts this program over with the same arguments where that is faster; otherwise returns.
    static func useFasterKernels() {
        let given = ProcessInfo.processInfo.environment[variable]
        let faster = better(than: BLASInformation.coreType, hasAVX512: BLASInformation.processorHasAVX512, given: given)
        guard let faster else { return }
        unsafe setenv(variable, faster, 1)
        unsafe execv("/proc/self/exe", CommandLine.unsafeArgv)
        unsafe unsetenv(variable)  // not replaced: go on with the kernels at hand
    }
}
