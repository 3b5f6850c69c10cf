internal import Synchronization
internal import Wording

/// The provider of matrix products: Apus's own kernels, or OpenBLAS.
package enum BLAS: String, Codable, Sendable, CaseIterable {
    /// Every element is one chain of fused multiply-adds: the same bits on every processor.
    case own
    /// The same bits only with one version and core type of the library.
    case openblas

    private static let library = Mutex<OpenBLAS?>(nil)
    /// Address of the library's `cblas_sgemm`; 0: own kernels.
    private static let address = Atomic<UInt>(0)

    /// The library in use; nil: own kernels.
    package static var openBLAS: OpenBLAS? { library.withLock { $0 } }

    package static var current: BLAS { openBLAS == nil ? .own : .openblas }

    /// What ``multiply(_:_:_:_:into:scale:accumulate:)`` calls; nil: own kernels.
    static var foreignProduct: LibraryProduct? {
        let found = address.load(ordering: .relaxed)
        return found == 0 ? nil : LibraryProduct(address: found)
    }

    /// Switches this process to this provider. OpenBLAS is loaded only here.
    ///
    /// - Parameter threads: threads that will multiply at the same time.
    /// - Throws: ``BLASError`` if the library cannot be loaded, gives wrong products, or was built for fewer threads;
    ///   the provider in use stays.
    package func use(threads: Int) throws(BLASError) {
        guard self == .openblas else {
            Self.address.store(0, ordering: .relaxed)
            Self.library.withLock { $0 = nil }
            return
        }
        let found = if let loaded = Self.openBLAS { loaded } else { try OpenBLAS.load() }
        if let most = found.mostThreads, threads > most {
            throw BLASError(
                "\(threads) threads multiply at the same time, this OpenBLAS was built for \(most): lower --threads, "
                    + "or use --blas own"
            )
        }
        Self.library.withLock { $0 = found }
        Self.address.store(found.product.address, ordering: .relaxed)
    }
}

/// The reason why a BLAS cannot be used, in one line.
package struct BLASError: BadInput, CustomStringConvertible, Sendable {
    package let description: String
    init(_ description: String) { self.description = description }
}
