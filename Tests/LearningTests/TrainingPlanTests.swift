import Testing

@testable import Learning

@Suite struct TrainingPlanTests {
    private func plan(_ samples: Int, batch: Int, accumulate: Int, lanes: Int, maxSteps: Int? = nil) -> TrainingPlan {
        TrainingPlan(
            seed: 7, batchSize: batch, accumulate: accumulate, laneCount: lanes, epochs: 2, maxSteps: maxSteps,
            lengths: (0..<samples).map { Int32(3 + $0 * 13 % 29) })
    }

    @Test(arguments: [1, 3, 8], [1, 2, 3])
    func `each epoch uses each sample once, in batches of the right size`(batch: Int, accumulate: Int) {
        for samples in [1, 2, 7, 24, 25] {
            for lanes in [1, 2, 5] {
                let plan = plan(samples, batch: batch, accumulate: accumulate, lanes: lanes)
                for epoch in 1...2 {
                    let order = plan.order(ofEpoch: epoch)
                    let steps = (1...plan.totalSteps).filter { plan.epoch(ofStep: $0) == epoch }.map {
                        plan.step($0, order: order)
                    }
                    #expect(
                        steps.flatMap { $0.lanes.joined().joined().map(\.sample) }.sorted()
                            == (0..<Int32(samples)).map { $0 })
                    #expect(steps.map(\.endsEpoch) == steps.indices.map { $0 == steps.count - 1 })
                    for step in steps {
                        #expect(step.lanes.count == lanes)
                        let all = step.lanes.joined().joined()
                        #expect(all.count == step.sampleCount)
                        #expect(step.tokenCount == all.reduce(0) { $0 + Int(plan.lengths[Int($1.sample)]) })
                        // Positions count through the step's global batches without a gap.
                        #expect(all.map(\.position).sorted() == (0..<UInt32(step.sampleCount)).map { $0 })
                        #expect(step.endsEpoch || step.sampleCount == batch * accumulate)
                    }
                }
            }
        }
    }

    @Test func `epochs differ in their order and a step is a function of its number`() {
        let plan = plan(40, batch: 8, accumulate: 1, lanes: 4)
        #expect(plan.order(ofEpoch: 1) != plan.order(ofEpoch: 2))
        for step in (1...plan.totalSteps).reversed() {
            let order = plan.order(ofEpoch: plan.epoch(ofStep: step))
            #expect(plan.step(step, order: order) == plan.step(step, order: order))
        }
    }

    @Test func `a part of an epoch ends within it`() {
        let whole = plan(40, batch: 8, accumulate: 1, lanes: 4)
        let part = TrainingPlan(
            seed: 7, batchSize: 8, accumulate: 1, laneCount: 4, epochs: 0.5, maxSteps: nil, lengths: whole.lengths)
        #expect(part.totalSteps == 3)
        for step in 1...3 {
            #expect(part.step(step, order: part.order(ofEpoch: 1)) == whole.step(step, order: whole.order(ofEpoch: 1)))
        }
    }

    @Test func `a limit on steps ends the run within an epoch`() {
        #expect(plan(40, batch: 8, accumulate: 1, lanes: 4, maxSteps: 7).totalSteps == 7)
        #expect(plan(40, batch: 8, accumulate: 2, lanes: 4, maxSteps: 70).totalSteps == 6)
    }
}

@Suite struct LearningRateScheduleTests {
    /// What `transformers.get_scheduler` gives after 4 warm-up steps of 10, as multiples of the peak.
    private static let afterWarmup: [LearningRateSchedule.Shape: [Double]] = [
        .constant: [1, 1, 1, 1, 1, 1],
        .linear: [1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6],
        .cosine: [1, 0.9330127018922193, 0.75, 0.5, 0.25, 0.0669872981077807],
    ]

    @Test(arguments: LearningRateSchedule.Shape.allCases)
    func `rates are those of Transformers`(shape: LearningRateSchedule.Shape) throws {
        let schedule = LearningRateSchedule(shape: shape, peak: 2e-5, warmupSteps: 4, totalSteps: 10)
        let factors = [0, 0.25, 0.5, 0.75] + (try #require(Self.afterWarmup[shape]))
        for (place, factor) in factors.enumerated() {
            #expect(abs(schedule.rate(step: place + 1) - 2e-5 * factor) < 1e-18)
        }
    }

    @Test func `without warm-up the first rate is the peak and no rate is below zero`() {
        for shape in LearningRateSchedule.Shape.allCases {
            let schedule = LearningRateSchedule(shape: shape, peak: 1, warmupSteps: 0, totalSteps: 3)
            #expect(schedule.rate(step: 1) == 1)
            #expect((1...9).allSatisfy { schedule.rate(step: $0) >= 0 })
        }
    }
}
