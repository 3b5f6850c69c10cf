#if MPI
internal import CMPI
internal import Glibc

/// A mesh whose frames between workers travel through the site's MPI, and those of the coordinator on the links of
/// ZeroMQ.
///
/// MPI cannot report a lost peer: the ZeroMQ links beside it detect one. A world that lost a process
/// cannot be used any more; the job ends and is resumed.
package final class MPIMesh: Mesh {
    package let rank: Int
    package let worldSize: Int
    private let links: (any Mesh)?
    /// Each rank's process in MPI's world; nil for ranks reached over links.
    private let processes: [Int?]
    private let tag: Int32
    private var outgoing: [Sending] = []

    /// Most frames that wait to be sent; beyond it the sender waits.
    private static let mostOutgoing = 64
    /// Number of MPI polls between two polls of the links, and before yielding the processor.
    private static let turns = 32

    @safe
    private struct Sending {
        var request: UnsafeMutableRawPointer?
        let frame: ZeroMQFrame
        let peer: Int
    }

    /// - Parameters:
    ///   - links: to all ranks; nil if every rank is in MPI's world.
    ///   - processes: the process in MPI's world of each rank that has one.
    ///   - generation: frames of other generations are not received.
    package init(rank: Int, processes: [Int?], generation: UInt32, links: (any Mesh)?) {
        self.rank = rank
        worldSize = processes.count
        self.processes = processes
        self.links = links
        tag = Int32(generation % 32_000)
    }

    // MPI may still read frames in flight: keep their memory.
    deinit { for sending in outgoing { _ = unsafe Unmanaged.passRetained(sending.frame) } }

    package func send(_ header: FrameHeader, payload: RawSpan, to peer: Int, deadline: ContinuousClock.Instant)
        throws(MeshError)
    {
        guard let process = processes[peer] else {
            guard let links else { preconditionFailure("rank \(rank) has no link to \(peer)") }
            return try links.send(header, payload: payload, to: peer, deadline: deadline)
        }
        while outgoing.count >= Self.mostOutgoing {
            try reap()
            guard deadline > .now else { throw .deadline(waitingFor: [peer]) }
            if outgoing.count >= Self.mostOutgoing { sched_yield() }
        }
        let message = Message(header, payload: payload)
        var request: UnsafeMutableRawPointer?
        let count = message.byteCount
        let result = message.withBytes { bytes in
            unsafe bytes.withUnsafeBytes {
                unsafe apus_mpi_send($0.baseAddress, Int32(count), Int32(process), tag, &request)
            }
        }
        unsafe outgoing.append(
            Sending(request: request, frame: ZeroMQFrame(header: header, message: message), peer: peer))
        try MPIWorld.check("MPI_Isend", result)
    }

    package func receive(deadline: ContinuousClock.Instant) throws(MeshError) -> any ReceivedFrame {
        var turn = 0
        while true {
            if let frame = try arrived() { return frame }
            try reap()
            turn += 1
            guard turn % Self.turns == 0 else { continue }
            if let links {
                do throws(MeshError) { return try links.receive(deadline: .now) } catch {
                    guard case .deadline = error else { throw error }
                }
            }
            guard deadline > .now else { throw .deadline(waitingFor: []) }
            if turn < 64 * Self.turns { sched_yield() } else { usleep(50) }
        }
    }

    /// A frame that was passed to MPI.
    private func arrived() throws(MeshError) -> ZeroMQFrame? {
        var (found, process, count): (Int32, Int32, Int32) = (0, 0, 0)
        var matched: UnsafeMutableRawPointer?
        try MPIWorld.check("MPI_Improbe", unsafe apus_mpi_probe(tag, &found, &process, &count, &matched))
        guard found != 0 else { return nil }
        var result: Int32 = 0
        let message = unsafe Message(byteCount: Int(count)) { bytes in
            result = unsafe apus_mpi_receive(bytes.baseAddress, count, matched)
        }
        try MPIWorld.check("MPI_Mrecv", result)
        guard let header = message.withBytes({ try? FrameCodec.decode($0) }),
            processes.indices.contains(Int(header.sender)),
            processes[Int(header.sender)] == Int(process)
        else { throw .socket(operation: "a frame from process \(process) of MPI's world", code: EBADMSG) }
        return ZeroMQFrame(header: header, message: message)
    }

    /// Releases the frames that were sent.
    private func reap() throws(MeshError) {
        for place in outgoing.indices.reversed() {
            var done: Int32 = 0
            try MPIWorld.check("MPI_Test", unsafe apus_mpi_sent(&outgoing[place].request, &done))
            if done != 0 { outgoing.remove(at: place) }
        }
    }

    /// Waits until all frames were sent.
    package func flush(deadline: ContinuousClock.Instant) throws(MeshError) {
        while !outgoing.isEmpty {
            try reap()
            guard deadline > .now else { throw .deadline(waitingFor: outgoing.map(\.peer)) }
            if !outgoing.isEmpty { sched_yield() }
        }
    }
}
#endif
