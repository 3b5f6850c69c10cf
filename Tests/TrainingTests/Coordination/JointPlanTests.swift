import Testing
import TextData

@testable import Coordination
@testable import Learning

/// The source task's stream beside the target's.
@Suite struct JointPlanTests {
    private func plan(source: Int, batch: Int, accumulate: Int = 1, lanes: Int = 3) -> TrainingPlan {
        var plan = TrainingPlan(
            seed: 7, batchSize: 4, accumulate: accumulate, laneCount: lanes, epochs: 4, maxSteps: nil,
            lengths: (0..<22).map { Int32(3 + $0 % 5) })
        plan.source = SourcePlan(
            seed: 7, batchSize: batch, lengths: (0..<source).map { Int32(2 + $0 % 7) }, weights: .same(1),
            lambda: LambdaSchedule(shape: .constant, from: 0.5, to: 0.5, totalSteps: plan.totalSteps))
        return plan
    }

    private func steps(_ plan: TrainingPlan) -> [StepPlan] {
        (1...plan.totalSteps).map { plan.step($0, order: plan.order(ofEpoch: plan.epoch(ofStep: $0))) }
    }

    @Test(arguments: [1, 2], [(5, 4), (7, 3), (40, 6), (2, 9)])
    func `each pass over the source uses each of its samples once`(accumulate: Int, sizes: (source: Int, batch: Int))
        throws
    {
        let plan = plan(source: sizes.source, batch: sizes.batch, accumulate: accumulate)
        let source = try #require(plan.source)
        var passes: [Int: [Int32]] = [:]
        for step in steps(plan) {
            let planned = try #require(step.source)
            #expect(planned.lanes.count == 3 && planned.batchCount == accumulate)
            #expect(planned.lanes.joined().joined().count == planned.sampleCount)
            #expect(planned.normalizer == Double(planned.sampleCount))
            for (place, batch) in plan.sourceBatches(ofStep: step.step).enumerated() {
                passes[source.epoch(ofBatch: batch), default: []] += planned.lanes.flatMap { $0[place].map(\.sample) }
            }
        }
        let last = try #require(passes.keys.max())
        for (pass, samples) in passes where pass < last {
            #expect(samples.sorted() == (0..<Int32(sizes.source)).map { $0 })
        }
        #expect(Set(passes[last] ?? []).count == passes[last]?.count)
    }

    @Test func `the target's stream is what it is without a source`() {
        let joint = plan(source: 7, batch: 3)
        var alone = joint
        alone.source = nil
        #expect(steps(joint).map(\.target) == steps(alone).map(\.target))
        #expect(steps(alone).allSatisfy { $0.lambda == 1 && $0.source == nil && $0.sourceScale == 0 })
        #expect(
            steps(joint).allSatisfy {
                $0.lossScale == Float(0.5 / $0.normalizer)
                    && $0.sourceScale == Float(1 / Double($0.source?.sampleCount ?? 0))
            })
    }

    @Test func `orders differ from pass to pass and from the target's`() throws {
        let plan = plan(source: 22, batch: 22)
        let source = try #require(plan.source)
        #expect(source.members(ofBatch: 0) != source.members(ofBatch: 1))
        #expect(source.members(ofBatch: 0) != plan.order(ofEpoch: 1).order)
        #expect(source.members(ofBatch: 5) == source.members(ofBatch: 5))
    }

    @Test func `lambda goes from one value to the other`() {
        func values(_ shape: LearningRateSchedule.Shape) -> [Double] {
            let schedule = LambdaSchedule(shape: shape, from: 2, to: 1, totalSteps: 5)
            return (1...6).map { schedule.value(step: $0) }
        }
        #expect(values(.constant) == [2, 2, 2, 2, 2, 2])
        #expect(values(.linear) == [2, 1.75, 1.5, 1.25, 1, 1])
        #expect(zip(values(.cosine), [2, 1.853553, 1.5, 1.146447, 1, 1]).allSatisfy { abs($0 - $1) < 1e-6 })
        #expect(LambdaSchedule(shape: .linear, from: 3, to: 1, totalSteps: 1).value(step: 1) == 3)
    }

    @Test func `the ledger counts the source's passes`() {
        let plan = plan(source: 5, batch: 4)
        let ledger = Ledger(plan, after: 0)
        for step in steps(plan).prefix(6) { ledger.count(step, redone: false) }
        #expect(
            ledger.account.text.hasSuffix("; source: 15 samples computed, pass 3 over 5, 2 of 2 passes before it whole")
        )
        let resumed = Ledger(plan, after: 6)
        for step in steps(plan)[6..<12] { resumed.count(step, redone: false) }
        #expect(
            resumed.account.text.hasSuffix(
                "; source: 15 samples computed, pass 6 over 5, 5 of 5 passes before it whole"))
        ledger.count(steps(plan)[5], redone: true)
        #expect(ledger.account.text.contains("MORE THAN ONCE"))
    }

    @Test func `digests tell the two tasks' samples apart`() {
        let lane = [[PlannedSample(sample: 3, position: 1)]]
        #expect(SampleDigest.of(lane) != SampleDigest.of([], source: lane))
        #expect(SampleDigest.of(lane, source: lane) != SampleDigest.of(lane + lane))
    }
}
