// Measures the all-reduce alone: N processes of this program, gradients of a given size, over shared memory or TCP.
//
//     AllReduceBenchmark --workers 2 --megabytes 1,22,90,440 --over shared|tcp|tls|zeromq|curve [--rounds 10]
//
// tcp and tls are the bulk links of --insecure and of a run with keys; zeromq and curve carry the same through ZeroMQ.
//     mpirun -np 2 AllReduceBenchmark --over mpi …        # in a build with the trait MPI
//
// Prints one JSON object a size: {"workers","megabytes","over","milliseconds","gigabytes_per_second"}, the median of
// the slowest rank's rounds; gigabytes per second are the gradient's size over that time.

import Collectives
import Dispatch
import Foundation
internal import Reduction
import Tensors
import Transport

struct Options {
    var workers = 2
    var megabytes = [1, 22, 90, 440]
    var over = "shared"
    var rounds = 10
    var rank: Int?

    init() {
        var arguments = CommandLine.arguments.dropFirst().makeIterator()
        while let name = arguments.next(), let value = arguments.next() {
            switch name {
            case "--workers": workers = Int(value) ?? workers
            case "--megabytes": megabytes = value.split(separator: ",").compactMap { Int($0) }
            case "--over": over = value
            case "--rounds": rounds = Int(value) ?? rounds
            case "--rank": rank = Int(value)
            default: break
            }
        }
    }
}

/// A line on standard output at once, for whoever waits for it.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

/// One rank: says where it listens, reads the roster, exchanges, and says its times.
func serve(_ options: Options, rank: Int) throws {
    let context = try Context()
    let keys = options.over == "curve" ? KeyPair.generate() : nil
    let allowed = AllowList()
    let authenticator = options.over == "curve" ? try Authenticator(in: context, allowList: allowed) : nil
    let folder = ProcessInfo.processInfo.environment["APUS_BENCHMARK_FOLDER"] ?? "/tmp"
    let listener = try MeshListener(
        at: options.over == "shared" ? "ipc://\(folder)/\(rank)" : "tcp://127.0.0.1:*", keys: keys, in: context)
    var own = MeshPeer(endpoint: listener.endpoint, key: keys?.publicKey)
    var bulk: BulkListener?
    if ["tcp", "tls"].contains(options.over) {
        bulk = try BulkListener(
            address: "127.0.0.1", identity: options.over == "tls" ? TLSIdentity() : nil, heartbeatTimeout: .seconds(3))
        own.bulk = bulk?.place
    }
    say(String(decoding: try JSONEncoder().encode(own), as: UTF8.self))
    guard let line = readLine(), let roster = try? JSONDecoder().decode(MeshRoster.self, from: Data(line.utf8)) else {
        return
    }
    for peer in roster.peers { if let key = peer.key { allowed.allow(key) } }
    func limit() -> ContinuousClock.Instant { .now + .seconds(120) }
    let mesh = try listener.mesh(rank: rank, roster: roster, bulk: bulk.take(), deadline: limit())
    try measure(options, rank: rank, mesh, generation: roster.generation)
    withExtendedLifetime(authenticator) {}
}

/// Exchanges over the mesh, and says the times.
func measure(_ options: Options, rank: Int, _ mesh: any Mesh, generation: UInt32) throws {
    func limit() -> ContinuousClock.Instant { .now + .seconds(120) }
    let links = ExchangeLinks(mesh: mesh, generation: generation)
    let assignment = LaneAssignment(laneCount: options.workers, workers: options.workers)
    var random = SystemRandomNumberGenerator()
    var step: UInt64 = 1
    for size in options.megabytes {
        let plan = ExchangePlan(
            laneCount: options.workers, lanes: assignment.lanes,
            hosts: options.over == "shared" ? assignment.lanes.map { _ in 0 } : Array(0..<options.workers),
            count: size * 250_000)
        let memory = try HostMemory.establish(
            plan, links: links, step: step, bucket: 0, deadline: limit(), generator: &random)
        let allReduce = AllReduce(plan: memory.plan, memory: memory.memory, links: links)
        for block in allReduce.blocks { block.fill(Float(rank + 1)) }
        var times: [Double] = []
        for round in 0..<(options.rounds + 2) {
            step += 1
            _ = try links.allGather([1], step: step, bucket: 9, deadline: limit())
            let start = ContinuousClock.now
            let sum = try allReduce.run(step: step, deadline: limit())
            let parts = (ContinuousClock.now - start).components
            if round >= 2 { times.append(Double(parts.seconds) * 1_000 + Double(parts.attoseconds) * 1e-15) }
            let expected = Float(options.workers * (options.workers + 1) / 2)
            guard let sum,
                sum.parts.allSatisfy({ $0.values[0] == expected && $0.values[$0.values.count - 1] == expected })
            else {
                say("wrong sum")
                exit(1)
            }
        }
        step += 1
        // Rounds are compared at their slowest rank.
        let own = times.flatMap { time in (0..<8).map { UInt8(truncatingIfNeeded: time.bitPattern >> ($0 * 8)) } }
        let all = try links.allGather(own, step: step, bucket: 10, deadline: limit()).map { bytes in
            stride(from: 0, to: bytes.count, by: 8).map { start in
                Double(bitPattern: (0..<8).reduce(0) { $0 | UInt64(bytes[start + $1]) << UInt64(8 * $1) })
            }
        }
        let slowest = times.indices.map { round in all.map { $0[round] }.max() ?? 0 }.sorted()
        let median = slowest[slowest.count / 2]
        if rank == 0 {
            let figure = (median * 100).rounded() / 100
            let speed = (Double(size) / median * 100).rounded() / 100
            say(
                "{\"workers\":\(options.workers),\"megabytes\":\(size),\"over\":\"\(options.over)\","
                    + "\"milliseconds\":\(figure),\"gigabytes_per_second\":\(speed)}"
            )
        }
        step += 1
    }
    // Who has ended this has seen that all have their figures; whoever is still in it may find that one gone.
    _ = try? links.allGather([1], step: step, bucket: 9, deadline: limit())
}

#if MPI
/// One rank of those that mpirun started; all frames travel through MPI, also within a host.
func serveMPI(_ options: Options) throws {
    let world = try MPIWorld.begin()
    var options = options
    options.workers = world.size
    let mesh = MPIMesh(rank: world.rank, processes: Array(0..<world.size), generation: 1, links: nil)
    try measure(options, rank: world.rank, mesh, generation: 1)
    try mesh.flush(deadline: .now + .seconds(120))
    world.end()
}
#endif

/// Starts the ranks, introduces them to each other, and passes on what the first one says.
func launch(_ options: Options) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("apus-allreduce-\(getpid())").path
    try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var ranks: [(process: Process, input: Pipe, output: Pipe)] = []
    for rank in 0..<options.workers {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = Array(CommandLine.arguments.dropFirst()) + ["--rank", String(rank)]
        process.environment = ProcessInfo.processInfo.environment.merging(["APUS_BENCHMARK_FOLDER": folder]) { $1 }
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        ranks.append((process, input, output))
    }
    let peers = try ranks.map { rank -> MeshPeer in
        var line: [UInt8] = []
        while let byte = try? rank.output.fileHandleForReading.read(upToCount: 1)?.first, byte != 0x0A {
            line.append(byte)
        }
        return try JSONDecoder().decode(MeshPeer.self, from: Data(line))
    }
    let roster = try JSONEncoder().encode(
        MeshRoster(generation: 1, token: UInt64.random(in: 1...UInt64(Int64.max)), peers: peers))
    for rank in ranks { try rank.input.fileHandleForWriting.write(contentsOf: roster + [0x0A]) }
    while let data = try ranks[0].output.fileHandleForReading.read(upToCount: 4_096), !data.isEmpty {
        FileHandle.standardOutput.write(data)
    }
    for rank in ranks { rank.process.waitUntilExit() }
}

let options = Options()
#if MPI
if options.over == "mpi" {
    try serveMPI(options)
    exit(0)
}
#endif
if let rank = options.rank { try serve(options, rank: rank) } else { try launch(options) }
