internal import Foundation
internal import Kernels
internal import Training

/// Chooses faster kernels where OpenBLAS does not know the processor.
///
/// OpenBLAS 0.3.21 gives AMD's Zen 4 and later its Haswell or Zen kernels, and Intel's Emerald Rapids those of a Prescott of
/// 2004: half and a tenth of the speed that its SkylakeX kernels have there. It reads `OPENBLAS_CORETYPE` only while it is
/// loaded, so the process starts over, once, with it set.
enum CoreType {
    private static let forAVX512: Set<String> = ["SkylakeX", "Cooperlake", "SapphireRapids"]
    /// Without AVX2 or fused multiply-add, which this program needs anyway.
    private static let outdated: Set<String> = [
        "Prescott", "Core2", "Penryn", "Dunnington", "Atom", "Nano", "Nehalem", "Sandybridge", "Opteron", "Opteron_SSE3", "Barcelona", "Bobcat",
        "Bulldozer",
    ]

    /// The core type to start over with, or nil to go on.
    static func better(than coreType: String, hasAVX512: Bool, given: String?) -> String? {
        guard given == nil else { return nil }
        if hasAVX512 { return forAVX512.contains(coreType) ? nil : "SkylakeX" }
        return outdated.contains(coreType) ? "Haswell" : nil
    }

    /// Starts this program over with the same arguments where that is faster; otherwise returns.
    static func useFasterKernels() {
        let given = ProcessInfo.processInfo.environment[CoreTypeChange.variable]
        let faster = better(than: BLASInformation.coreType, hasAVX512: BLASInformation.processorHasAVX512, given: given)
        if let faster { CoreTypeChange.startOver(with: faster) }
    }
}
