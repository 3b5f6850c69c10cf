internal import Configuration
import Foundation
internal import Learning
internal import RooflineMeters
internal import Runs
internal import Wording

/// The job whose steps are measured: first as they are, then with a meter at each call.
final class Job {
    private let inputs: RunInputs
    private let engine: SingleProcessEngine
    private var step = 0

    init(_ inputs: RunInputs) {
        self.inputs = inputs
        engine = SingleProcessEngine(
            inputs: inputs, replica: Replica(model: inputs.model, parameters: inputs.parameters, threads: 1),
            debug: false)
    }

    /// What a step took and asked of the heap: its lanes, their sum, the update, and the packing of its samples.
    private struct Taken {
        var seconds: Double
        var samples: Int
        var tokens: Int
        var allocations: Int
        var bytes: Int
    }

    private func take() async throws -> Taken {
        step += 1
        let plan = inputs.plan.step((step - 1) % inputs.plan.totalSteps + 1, order: inputs.plan.order(ofEpoch: 1))
        let (calls, bytes) = allocations()
        let start = ContinuousClock.now
        _ = try await engine.run(plan, next: nil, learningRate: inputs.configuration.learningRate)
        let seconds = (ContinuousClock.now - start).seconds
        let after = allocations()
        return Taken(
            seconds: seconds, samples: plan.sampleCount, tokens: plan.tokenCount, allocations: after.calls - calls,
            bytes: after.bytes - bytes)
    }

    /// Takes each of `steps` steps plain, then with meters, and then its products alone, so that a noisy moment falls
    /// on all.
    func measure(steps: Int) async throws -> Report {
        for _ in 0..<3 { _ = try await take() }
        var report = Report(inputs, steps: steps)
        for _ in 0..<steps {
            let plain = try await take()
            report.seconds.append(plain.seconds)
            report.samples += plain.samples
            report.tokens += plain.tokens
            report.allocations.append(plain.allocations)
            report.allocatedBytes.append(plain.bytes)
            // The same samples again: what the products alone take is to be that of the same step.
            step -= 1
            meters_start()
            report.meteredSeconds.append(try await take().seconds)
            meters_stop()
            report.add(readMeters())
            report.productSeconds.append(meters_repeat_products())
            report.attentionSeconds.append(meters_repeat_attention())
        }
        report.peak = meters_peak()
        report.bandwidth = meters_bandwidth()
        return report
    }

    private func allocations() -> (calls: Int, bytes: Int) {
        var (calls, bytes): (UInt64, UInt64) = (0, 0)
        unsafe meters_allocations(&calls, &bytes)
        return (Int(calls), Int(bytes))
    }

    private func readMeters() -> [Report.Kind] {
        var kinds: [Report.Kind] = []
        while let found = unsafe meters_at(kinds.count) {
            let meter = unsafe found.pointee
            let seconds = max(0, unsafe meter.seconds - Double(meter.calls) * meters_clock())
            unsafe kinds.append(
                Report.Kind(
                    name: String(cString: meter.name), calls: Int(meter.calls), seconds: seconds,
                    operations: meter.operations, bytes: meter.bytes))
        }
        return kinds
    }
}
