import Processes
import Testing

@testable import Configuration
@testable import Launching

@Suite struct WorkerSharesTests {
    private struct Default: CustomTestStringConvertible {
        let nodes: Int
        let cores: Int
        let batch: Int
        let workers: Int
        let threads: Int
        var isBound = false

        var testDescription: String { "\(nodes) nodes, \(cores) cores, batch \(batch)" }
    }

    /// `cores` are those of all nodes together, or as many as a quota allows.
    @Test(arguments: [
        Default(nodes: 1, cores: 1, batch: 32, workers: 1, threads: 1),
        Default(nodes: 1, cores: 2, batch: 32, workers: 2, threads: 1),
        Default(nodes: 1, cores: 3, batch: 32, workers: 1, threads: 3),
        Default(nodes: 1, cores: 4, batch: 32, workers: 2, threads: 2),
        Default(nodes: 1, cores: 9, batch: 32, workers: 1, threads: 9),
        Default(nodes: 1, cores: 16, batch: 32, workers: 2, threads: 8),
        Default(nodes: 1, cores: 64, batch: 256, workers: 2, threads: 32),
        Default(nodes: 1, cores: 2, batch: 1, workers: 1, threads: 2),
        Default(nodes: 1, cores: 64, batch: 3, workers: 1, threads: 64),
        Default(nodes: 2, cores: 4, batch: 32, workers: 2, threads: 2, isBound: true),
        Default(nodes: 2, cores: 64, batch: 32, workers: 2, threads: 32, isBound: true),
        Default(nodes: 2, cores: 64, batch: 3, workers: 1, threads: 64),
        Default(nodes: 2, cores: 3, batch: 32, workers: 1, threads: 3),
        Default(nodes: 2, cores: 1, batch: 32, workers: 1, threads: 1),
        Default(nodes: 3, cores: 24, batch: 32, workers: 2, threads: 12),
        Default(nodes: 4, cores: 64, batch: 32, workers: 4, threads: 16, isBound: true),
        Default(nodes: 4, cores: 64, batch: 5, workers: 2, threads: 32),
        Default(nodes: 4, cores: 6, batch: 32, workers: 2, threads: 3),
        Default(nodes: 6, cores: 48, batch: 32, workers: 4, threads: 12),
        Default(nodes: 8, cores: 128, batch: 256, workers: 8, threads: 16, isBound: true),
        Default(nodes: 8, cores: 128, batch: 8, workers: 4, threads: 32),
    ])
    private func `the default is a worker for each node, and uses all cores`(expected: Default) {
        let shares = WorkerShares(
            cores: expected.cores, nodes: expected.nodes, lanes: LaneCount.default(batchSize: expected.batch))
        #expect((shares.workers, shares.threads) == (expected.workers, expected.threads))
        #expect(shares.workersPerNode == (expected.isBound ? 1 : nil))
    }

    @Test(arguments: [1, 2, 3, 4, 6, 8])
    func `no core and no node stands by, whatever the machine, the batch and the quota`(nodes: Int) {
        let lanes = Set((1...256).map { LaneCount.default(batchSize: $0) }).union([3, 6, 12, 100])
        for perNode in 1...128 where (2...128).contains(nodes * perNode) {
            for cores in 1...nodes * perNode {
                for lanes in lanes {
                    let shares = WorkerShares(cores: cores, nodes: nodes, lanes: lanes)
                    let comment: Comment = "\(nodes) nodes of \(perNode), quota \(cores), \(lanes) lanes: \(shares)"
                    #expect(shares.workers * shares.threads == cores, comment)
                    #expect(lanes % shares.workers == 0, comment)
                    let isEven = nodes > 1 && cores % nodes == 0 && lanes % nodes == 0
                    #expect(shares.workersPerNode == (isEven ? 1 : nil), comment)
                    if nodes == 1, cores % 2 == 0, lanes % 2 == 0 { #expect(shares.workers == 2, comment) }
                    if isEven { #expect(shares.workers == nodes && shares.threads <= perNode, comment) }
                }
            }
        }
    }

    @Test func `what was asked for counts, and threads that were asked for fill the cores and do not exceed them`() {
        let many = WorkerShares(cores: 2, lanes: 8, workers: 16)
        #expect((many.workers, many.threads) == (16, 1))
        for nodes in [1, 2, 3, 4] {
            for perNode in 1...32 {
                let cores = nodes * perNode
                for threads in 1...16 {
                    let shares = WorkerShares(cores: cores, nodes: nodes, lanes: 8, threads: threads)
                    #expect(shares.threads == threads && 8 % shares.workers == 0)
                    #expect(shares.workers == 1 || shares.workers * threads <= cores)
                    #expect(shares.workers == 8 || shares.workers * 2 * threads > cores, "the next larger number fits")
                    guard let together = shares.workersPerNode else { continue }
                    #expect(together * nodes == shares.workers && together * threads <= perNode)
                }
            }
        }
    }

    /// Two nodes of four processors, and the affinity mask.
    private func nodes(allowed: String) -> MemoryNodes {
        let files = [
            "/sys/devices/system/node/online": "0-1", "/sys/devices/system/node/has_memory": "0-1",
            "/sys/devices/system/node/node0/cpulist": "0-1,4-5", "/sys/devices/system/node/node1/cpulist": "2-3,6-7",
            "/proc/self/status": "Cpus_allowed_list:\t\(allowed)\n",
        ]
        return MemoryNodes { files[$0] }
    }

    private func bound(allowed: String = "0-7", workers: Int? = nil, threads: Int? = nil) -> [String?] {
        let nodes = nodes(allowed: allowed)
        let cores = ProcessorList(allowed)!.numbers.count
        let shares = WorkerShares(cores: cores, nodes: nodes.count, lanes: 8, workers: workers, threads: threads)
        return (0..<shares.workers).map { shares.processors(of: $0, nodes)?.text }
    }

    @Test func `each worker of the default number is bound to the processors of its node, and no other`() {
        #expect(bound() == ["0-1,4-5", "2-3,6-7"])
        #expect(bound(workers: 2) == ["0-1,4-5", "2-3,6-7"])
        #expect(bound(allowed: "1-2") == ["1", "2"])
        #expect(bound(threads: 2) == ["0-1,4-5", "0-1,4-5", "2-3,6-7", "2-3,6-7"])
        for unbound in [
            bound(workers: 1), bound(workers: 4), bound(workers: 3), bound(workers: 2, threads: 8), bound(threads: 8),
            bound(allowed: "0-1,4-5"), bound(allowed: "0-2,4"), bound(allowed: "0-2"),
        ] {
            #expect(unbound.allSatisfy { $0 == nil }, "\(unbound)")
        }
    }
}
