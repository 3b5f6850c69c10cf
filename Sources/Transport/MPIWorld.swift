// Here and in MPIMesh.swift builds with the trait MPI differ from others, and nowhere else.
#if MPI
internal import CMPI

/// This process among those that an MPI launcher started. Belongs to the thread that created it; one per process.
package final class MPIWorld {
    package static let isBuilt = true
    package let rank: Int
    package let size: Int
    private var hasEnded = false

    private init(rank: Int32, size: Int32) {
        self.rank = Int(rank)
        self.size = Int(size)
    }

    /// Begins MPI.
    /// - Throws: ``MeshError/socket(operation:code:)``.
    package static func begin() throws(MeshError) -> MPIWorld {
        var rank: Int32 = 0
        var size: Int32 = 0
        try check("MPI_Init_thread", unsafe apus_mpi_begin(&rank, &size))
        return MPIWorld(rank: rank, size: size)
    }

    /// The mesh of a generation: frames between workers through MPI, the coordinator's over `links`.
    package func mesh(of roster: MeshRoster, over links: any Mesh) -> any Mesh {
        MPIMesh(rank: links.rank, processes: roster.peers.map(\.process), generation: roster.generation, links: links)
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
#else
internal import Glibc

/// This build has no MPI: there is never a world.
package final class MPIWorld {
    package static let isBuilt = false
    package let rank = 0

    private init() {}

    package static func begin() throws(MeshError) -> MPIWorld {
        throw .socket(operation: "MPI_Init_thread", code: ENOSYS)
    }

    package func mesh(of roster: MeshRoster, over links: any Mesh) -> any Mesh { links }

    package func end() {}
}
#endif
