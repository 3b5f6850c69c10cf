import Foundation
import Testing

@testable import Files
@testable import Learning
@testable import Telemetry

@Suite struct TensorBoardCurvesTests {
    private func tags(_ values: [EventRecord.Value]) -> [String] {
        values.map { value in
            switch value {
            case .scalar(let tag, _), .text(let tag, _): tag
            }
        }
    }

    private func step(_ step: Int, generation: Int? = nil, workers: [WorkerShare]? = nil) -> StepEvent {
        var event = StepEvent(
            step: step, epoch: 1, loss: 0.5, learningRate: 5e-05, gradientNorm: 1.25, samples: 32, tokens: 800,
            seconds: 0.25)
        (event.generation, event.workers) = (generation, workers)
        return event
    }

    @Test func `a step's line reads back as the step`() throws {
        var event = step(
            7, generation: 2, workers: [WorkerShare(rank: 1, compute: 0.5, exchange: 0.25, wait: 0.125, bytes: 7)])
        (event.sourceLoss, event.sourceSamples, event.sourceTokens, event.lambda) = (0.75, 16, 400, 2)
        event.gradientNorm = .infinity
        let read = try #require(StepEvent(try JSONValue(parsing: Array(event.line().utf8))))
        #expect(read.line() == event.line())
    }

    @Test func `workers have their times every hundred steps, and their number whenever it changes`() {
        var curves = TensorBoardCurves(labels: [])
        let two = (0..<2).map { WorkerShare(rank: $0, compute: Double($0 + 1), exchange: 0.5, wait: 0) }
        #expect(tags(curves.points(step(1, generation: 1, workers: two))).contains("workers/count"))
        for number in 2..<100 {
            #expect(
                !tags(curves.points(step(number, generation: 1, workers: two))).contains { $0.hasPrefix("workers/") })
        }
        let points = curves.points(step(100, generation: 1, workers: two))
        for (name, expected) in [("min", 1.0), ("mean", 1.5), ("max", 2.0)] {
            #expect(
                points.contains { point in
                    if case .scalar("workers/compute_seconds_\(name)", expected) = point { true } else { false }
                }, "\(name)")
        }
        let changed = tags(curves.points(step(101, generation: 2, workers: [two[0]])))
        #expect(changed.filter { $0.hasPrefix("workers/") } == ["workers/count", "workers/generation"])
    }

    @Test func `an evaluation has a curve for each figure and each class`() throws {
        let curves = TensorBoardCurves(labels: ["bad", "go\u{1B}od"])
        let line =
            #"{"accuracy":0.5,"confusion":[[1,2],[3,4]],"epoch":1,"event":"evaluation","f1":[0.25,0.75],"#
            + #""loss":"nan","samples":10,"#
            + #""seconds":1,"split":"source-validation","step":3}"#
        let points = curves.points(evaluation: try JSONValue(parsing: Array(line.utf8)))
        #expect(
            tags(points) == [
                "source_validation/accuracy", "source_validation/f1/bad", #"source_validation/f1/go\u{1b}od"#,
                "source_validation/loss",
            ])
    }
}
