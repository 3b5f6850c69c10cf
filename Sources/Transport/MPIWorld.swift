#if MPI
internal import CMPI

/// This process among those that an MPI launcher started. Belongs to the thread that created it; one per process.
package final class MPIWorld {
    package let rank: Int
    package let size: Int
    private var hasEnded = false

    /// Begins MPI.
    /// - Throws: ``MeshError/socket(operation:code:)``.
    package init() throws(MeshError) {
        var rank: Int32 = 0
        var size: Int32 = 0
        try Self.check("MPI_Init_thread", unsafe apus_mpi_begin(&rank, &size))
        self.rank = Int(rank)
        self.size = Int(size)
    }

    /// Ends MPI; all ranks do so together.
    package func end() {
        guard !hasEnded else { return }
        hasEnded = true
        _ = apus_mpi_end()
    }

    static func check(_ operation: String, _ result: Int32) throws(MeshError) {
        guard result == 0 else { throw .socket(operation: operation, code: result) }
    }
}
#endif
