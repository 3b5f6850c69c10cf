internal import COpenBLAS
internal import CVectorMath

/// Which arithmetic this process computes with.
package enum BLASInformation {
    /// Makes every matrix product run on its calling thread alone. Call once, before the first product.
    package static func useOneThread() { openblas_set_num_threads(1) }

    /// OpenBLAS's name for the kernels it chose, such as "SkylakeX".
    package static var coreType: String {
        guard let name = unsafe openblas_get_corename() else { return "unknown" }
        return unsafe String(cString: name)
    }

    /// Version and build options of OpenBLAS.
    package static var configuration: String {
        guard let text = unsafe openblas_get_config() else { return "OpenBLAS" }
        return unsafe String(cString: text).split(separator: " ").joined(separator: " ")
    }

    /// Instruction set of the vector kernels.
    package static var vectorLevel: String { unsafe String(cString: apus_vector_level()) }

    /// Whether the vector kernels run on this processor.
    package static var isSupported: Bool { apus_vector_supported() != 0 }

    /// Whether the compiler optimized the vector kernels, as it has to in every build.
    package static var isOptimized: Bool { apus_is_optimized() != 0 }

    /// Whether OpenBLAS's AVX-512 kernels run on this processor.
    package static var processorHasAVX512: Bool { apus_processor_has_avx512() != 0 }

    package static var description: String { "\(configuration), core type \(coreType), vector kernels \(vectorLevel)" }
}
