import Testing

@testable import Console

@Suite struct ProgressFiguresTests {
    private static let usual = ProgressFigures(
        step: 123, totalSteps: 804, epoch: 1, epochs: 3, loss: 0.43214, rate: 5e-5, samplesPerSecond: 245.13,
        secondsLeft: 88, workers: 2)
    static let large = ProgressFigures(
        step: 12_345, totalSteps: 123_456, epoch: 10, epochs: 100, loss: 0.43214, sourceLoss: 1.25, rate: 5e-5,
        samplesPerSecond: 1_245.13,
        secondsLeft: 36_000, workers: 16)

    /// What a terminal of each width shows, the least important figures left out first.
    @Test func `a line fits its terminal`() {
        let expected: [(Int, String)] = [
            (
                200,
                "[######..................................]  epoch 1/3  step 123/804  loss 0.4321  rate 5.00e-05  "
                    + "245.1 samples/s  1:28 left  2 workers"
            ),
            (
                120,
                "[###....................]  epoch 1/3  step 123/804  loss 0.4321  rate 5.00e-05  245.1 samples/s  "
                    + "1:28 left  2 workers"
            ),
            (100, "[##................]  epoch 1/3  step 123/804  loss 0.4321  245.1 samples/s  1:28 left  2 workers"),
            (80, "[#.......]  epoch 1/3  step 123/804  loss 0.4321  245/s  1:28 left  2 workers"),
            (70, "[##............]  epoch 1/3  123/804  loss 0.4321  245/s  1:28 left"),
            (50, "epoch 1/3  123/804  loss 0.4321  1:28 left"),
            (30, "123/804  loss 0.4321"),
            (12, "123/804"),
            (8, "123/…"),
        ]
        for (columns, line) in expected { #expect(Self.usual.line(columns: columns) == line, "\(columns)") }
        for columns in 1...200 {
            for figures in [Self.usual, Self.large] {
                #expect(ShownText.columns(figures.line(columns: columns)) <= max(0, columns - 3), "\(columns)")
            }
        }
    }

    @Test func `time left runs down between two steps`() {
        #expect(Self.usual.line(columns: 80, elapsed: 30).contains("0:58 left"))
        #expect(Self.usual.line(columns: 80, elapsed: 100).contains("0:00 left"))
        #expect(ProgressFigures.clock(3_725) == "1:02:05")
        #expect(ProgressFigures.clock(200_000) == "2d 07h")
        #expect(ProgressFigures.clock(-0.4) == "0:00")
        for wild in [Double.infinity, -.infinity, .nan, 1e300, -1e300, -1] {
            #expect(ProgressFigures.clock(wild) == "?")
        }
    }

    @Test func `colors change nothing but the color`() {
        let line = Self.usual.line(columns: 80, colors: true)
        #expect(line.contains("\u{1B}[32m#\u{1B}[0m"))
        #expect(line.replacing(/\u{1B}\[[0-9]*m/, with: "") == Self.usual.line(columns: 80))
    }

    @Test func `a log's line has everything`() {
        #expect(
            Self.large.text
                == "epoch 10/100  step 12345/123456  loss 0.4321  source 1.2500  rate 5.00e-05  1245.1 samples/s  "
                + "10:00:00 left  16 workers"
        )
    }

    private func step(_ step: Int, loss: Double, seconds: Double) -> ProgressMeter.Step {
        ProgressMeter.Step(
            step: step, totalSteps: 10, epoch: 1, epochs: 1, loss: loss, rate: 1, samples: 32, seconds: seconds,
            workers: 1)
    }

    @Test func `figures are means over the steps added`() {
        var meter = ProgressMeter()
        meter.add(step(1, loss: 1, seconds: 1))
        meter.add(step(2, loss: 0.5, seconds: 3))
        let figures = meter.figures(step(2, loss: 0.5, seconds: 3))
        #expect(figures.loss == 0.75)
        #expect(figures.samplesPerSecond == 16)
        #expect(figures.secondsLeft == 16)
    }

    @Test func `time left has the evaluations, first by the speed of training and then by their own`() {
        var meter = ProgressMeter()
        var step = step(2, loss: 1, seconds: 2)
        meter.add(step)
        (step.unscored, step.scoringSpeed) = (480, nil)
        // 8 steps of 2 s; 480 samples at 3 * 16 a second.
        #expect(meter.figures(step).secondsLeft == 26)
        step.scoringSpeed = 120
        #expect(meter.figures(step).secondsLeft == 20)
    }

    @Test func `a meter with a memory forgets, and a loss that is not finite does not stay`() {
        var meter = ProgressMeter(memory: 1)
        meter.add(step(1, loss: 100, seconds: 1))
        for number in 2...40 { meter.add(step(number, loss: 1, seconds: 1)) }
        #expect(abs(meter.figures(step(40, loss: 1, seconds: 1)).loss - 1) < 1e-6)
        meter.add(step(41, loss: .nan, seconds: 1))
        meter.add(step(42, loss: 1, seconds: 1))
        #expect(meter.figures(step(42, loss: 1, seconds: 1)).loss == 1)
    }

    @Test(arguments: [60, 3_600, 86_400, 604_800]) func `a run of any length has about a hundred lines`(seconds: Int) {
        let start = ContinuousClock.now
        var interval = GrowingInterval(from: start)
        let lines = (1...seconds).count { interval.isDue(start + .seconds($0)) }
        #expect(lines <= 100)
        #expect(lines >= min(9, seconds / 6))
    }

    @Test func `a loss that is not a number has no sign`() {
        var figures = Self.large
        (figures.loss, figures.sourceLoss) = (-Double.nan, -Double.nan)
        for text in [figures.text, figures.line(columns: 200)] {
            #expect(text.contains("nan") && !text.contains("-nan"))
        }
    }

    @Test func `an activity's line says more than the one before it or does not come`() {
        let start = ContinuousClock.now
        var pace = ActivityPace(from: start)
        func isDue(_ seconds: Int, _ percentage: Int) -> Bool {
            pace.isDue(start + .seconds(seconds), percentage: percentage)
        }
        #expect(
            [isDue(1, 1), isDue(6, 0), isDue(60, 0), isDue(61, 3), isDue(62, 4), isDue(100, 3), isDue(101, 4)] == [
                false, false, false, true, false, false, true,
            ])
    }
}
