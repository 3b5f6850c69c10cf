import Testing

@testable import TextData

@Suite struct EpochPlanTests {
    @Test func eachSampleOccursOnceForEveryCountAndBatchSize() {
        for sampleCount in 0...40 {
            for batchSize in 1...12 {
                let plan = EpochPlan(seed: 7, epoch: 1, sampleCount: sampleCount, batchSize: batchSize)
                let batches = (0..<plan.batchCount).map { Array(plan.batch($0)) }
                #expect(batches.flatMap { $0 }.sorted() == Array(0..<Int32(sampleCount)))
                #expect(batches.dropLast().allSatisfy { $0.count == batchSize })
                #expect(batches.last.map { (1...batchSize).contains($0.count) } ?? (sampleCount == 0))
            }
        }
    }

    @Test func seedAndEpochAloneDecideTheOrder() {
        let plan = EpochPlan(seed: 3, epoch: 2, sampleCount: 1000, batchSize: 32)
        #expect(plan == EpochPlan(seed: 3, epoch: 2, sampleCount: 1000, batchSize: 32))
        #expect(plan.order == EpochPlan(seed: 3, epoch: 2, sampleCount: 1000, batchSize: 7).order)
        #expect(plan.order != EpochPlan(seed: 3, epoch: 3, sampleCount: 1000, batchSize: 32).order)
        #expect(plan.order != EpochPlan(seed: 4, epoch: 2, sampleCount: 1000, batchSize: 32).order)
        #expect(plan.order != Array(0..<1000))
    }

    @Test func theOrderOfAKnownSeedNeverChanges() {
        #expect(EpochPlan(seed: 0, epoch: 1, sampleCount: 10, batchSize: 4).order == [7, 2, 0, 3, 8, 5, 6, 9, 4, 1])
    }

    @Test func everyPlaceIsReachedAboutEquallyOften() {
        var counts = Array(repeating: Array(repeating: 0, count: 5), count: 5)
        for seed in 0..<5000 as Range<UInt64> {
            for (place, sample) in EpochPlan(seed: seed, epoch: 1, sampleCount: 5, batchSize: 5).order.enumerated() {
                counts[place][Int(sample)] += 1
            }
        }
        // 1,000 expected, standard deviation 28
        #expect(counts.joined().allSatisfy { (860...1140).contains($0) })
    }
}
