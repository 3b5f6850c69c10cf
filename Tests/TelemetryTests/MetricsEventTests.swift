import Testing

@testable import Learning
@testable import Telemetry

@Suite struct MetricsEventTests {
    private var event: StepEvent {
        StepEvent(
            step: 3, epoch: 1, loss: 0.5, learningRate: 5e-05, gradientNorm: 1.25, samples: 32, tokens: 800,
            seconds: 0.25)
    }

    @Test func `a step's line has its figures under their names, in order`() {
        #expect(
            event.line()
                == #"{"epoch":1,"event":"step","gradient_norm":1.25,"learning_rate":5e-05,"loss":0.5,"#
                + #""samples":32,"seconds":0.25,"step":3,"tokens":800}"#
        )
    }

    @Test func `source task and workers have members of their own`() {
        var event = event
        event.sourceLoss = 0.75
        event.sourceSamples = 16
        event.sourceTokens = 400
        event.lambda = 2
        event.workers = [WorkerShare(rank: 1, compute: 0.5, exchange: 0.25, wait: 0.125, bytes: 7)]
        let line = event.line()
        #expect(line.contains(#""lambda":2.0,"learning_rate""#))
        #expect(line.contains(#""source_loss":0.75,"source_samples":16,"source_tokens":400,"step""#))
        #expect(line.hasSuffix(#""workers":[{"bytes":7,"compute":0.5,"exchange":0.25,"rank":1,"wait":0.125}]}"#))
    }

    @Test func `a figure that is not a number is named`() {
        var event = event
        (event.loss, event.gradientNorm, event.seconds) = (.infinity, .nan, -.infinity)
        let line = event.line()
        #expect(
            line.contains(#""loss":"inf""#) && line.contains(#""gradient_norm":"nan""#)
                && line.contains(#""seconds":"-inf""#))
    }
}
