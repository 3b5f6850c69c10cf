import Testing

@testable import Configuration
@testable import Launching

@Suite struct WorkerSharesTests {
    @Test(arguments: [
        // cores, batch, workers, threads
        (1, 32, 1, 1), (2, 32, 2, 1), (3, 32, 1, 3), (4, 32, 2, 2), (6, 32, 2, 3), (8, 32, 2, 4), (9, 32, 1, 9),
        (12, 32, 2, 6), (16, 32, 2, 8),
        (32, 32, 4, 8), (36, 32, 4, 9), (64, 32, 8, 8), (128, 32, 8, 16), (128, 256, 8, 16), (2, 1, 1, 2),
        (64, 3, 1, 64), (64, 5, 2, 32), (64, 8, 4, 16),
    ])
    func theDefaultUsesAllCores(cores: Int, batch: Int, workers: Int, threads: Int) {
        let shares = WorkerShares(cores: cores, lanes: LaneCount.default(batchSize: batch))
        #expect(shares == WorkerShares(cores: workers * threads, lanes: 8, workers: workers, threads: threads))
        #expect((shares.workers, shares.threads) == (workers, threads))
    }

    @Test func `workers divide the lanes and the cores, whatever the machine and the batch`() {
        for cores in 1...128 {
            for lanes in Set((1...256).map { LaneCount.default(batchSize: $0) }).union([3, 6, 12, 100]) {
                let shares = WorkerShares(cores: cores, lanes: lanes)
                #expect(shares.workers * shares.threads == cores, "\(cores) cores, \(lanes) lanes")
                #expect(lanes % shares.workers == 0, "\(cores) cores, \(lanes) lanes")
            }
        }
    }

    @Test func `what was asked for counts, and threads that were asked for do not exceed the cores`() {
        #expect(
            WorkerShares(cores: 2, lanes: 8, workers: 16) == WorkerShares(cores: 16, lanes: 16, workers: 16, threads: 1)
        )
        for cores in 1...64 {
            for threads in 1...16 {
                let shares = WorkerShares(cores: cores, lanes: 8, threads: threads)
                #expect(shares.threads == threads && 8 % shares.workers == 0)
                #expect(shares.workers == 1 || shares.workers * threads <= cores)
            }
        }
    }
}
