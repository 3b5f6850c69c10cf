internal import Foundation
internal import Wording

/// The state of a run for the progress line.
package struct ProgressFigures: Sendable, Equatable {
    package var step: Int
    package var totalSteps: Int
    package var epoch: Int
    package var epochs: Int
    package var loss: Double
    /// Of the source task, if there is one.
    package var sourceLoss: Double?
    package var rate: Double
    package var samplesPerSecond: Double
    package var secondsLeft: Double
    package var workers: Int

    package init(
        step: Int, totalSteps: Int, epoch: Int, epochs: Int, loss: Double, sourceLoss: Double? = nil, rate: Double,
        samplesPerSecond: Double,
        secondsLeft: Double, workers: Int
    ) {
        self.step = step
        self.totalSteps = totalSteps
        self.epoch = epoch
        self.epochs = epochs
        self.loss = loss
        self.sourceLoss = sourceLoss
        self.rate = rate
        self.samplesPerSecond = samplesPerSecond
        self.secondsLeft = secondsLeft
        self.workers = workers
    }

    /// For a log: everything.
    package var text: String {
        let source = sourceLoss.map { "  source \(decimal($0, 4))" } ?? ""
        return
            "epoch \(epoch)/\(epochs)  step \(step)/\(totalSteps)  loss \(decimal(loss, 4))\(source)  rate "
            + "\(String(format: "%.2e", rate))  "
            + "\(decimal(samplesPerSecond, 1)) samples/s  \(Self.clock(secondsLeft)) left"
            + (workers > 1 ? "  \(workers) workers" : "")
    }

    /// For a terminal: a bar and as many figures as fit, omitting the least important ones first.
    ///
    /// - Parameter columns: of the terminal; the text uses fewer, so that a `^C` typed beside it does not begin another
    ///   line.
    package func line(columns: Int, elapsed: Double = 0, colors: Bool = false) -> String {
        let room = max(0, columns - 3)
        for form in Self.forms {
            let words = words(form, elapsed: elapsed)
            let used = words.reduce(0) { $0 + $1.count + 2 } - 2
            guard form.hasBar else {
                if used <= room { return words.joined(separator: "  ") }
                continue
            }
            let inner = min(Self.widestBar, room - used - 4)
            if inner >= Self.narrowestBar { return ([bar(inner, colors: colors)] + words).joined(separator: "  ") }
        }
        return ShownText.cut("\(step)/\(totalSteps)", to: room)
    }

    private static let (narrowestBar, widestBar) = (6, 40)

    private func bar(_ width: Int, colors: Bool) -> String {
        let done = totalSteps > 0 ? min(width, width * step / totalSteps) : width
        let filled = String(repeating: "#", count: done)
        return
            "[" + (colors && done > 0 ? "\u{1B}[32m\(filled)\u{1B}[0m" : filled)
            + String(repeating: ".", count: width - done) + "]"
    }

    /// Contents of a line, from complete to short.
    private struct Form {
        var hasBar = true
        var hasRate = true
        var namesStep = true
        var speed = Speed.long
        var hasWorkers = true
        var hasSource = true
        var hasEpoch = true
        var hasTime = true
        var hasLoss = true

        enum Speed { case long, short, none }
    }

    private static let forms: [Form] = {
        var form = Form()
        var forms = [form]
        func next(_ change: (inout Form) -> Void) {
            change(&form)
            forms.append(form)
        }
        next { $0.hasRate = false }
        next { $0.speed = .short }
        next { $0.namesStep = false }
        next { $0.hasWorkers = false }
        next { $0.hasBar = false }
        next { $0.speed = .none }
        next { $0.hasSource = false }
        next { $0.hasEpoch = false }
        next { $0.hasTime = false }
        next { $0.hasLoss = false }
        return forms
    }()

    private func words(_ form: Form, elapsed: Double) -> [String] {
        var words: [String] = []
        if form.hasEpoch { words.append("epoch \(epoch)/\(epochs)") }
        words.append("\(form.namesStep ? "step " : "")\(step)/\(totalSteps)")
        if form.hasLoss { words.append("loss \(decimal(loss, 4))") }
        if form.hasSource, let sourceLoss { words.append("source \(decimal(sourceLoss, 4))") }
        if form.hasRate { words.append("rate \(String(format: "%.2e", rate))") }
        switch form.speed {
        case .long: words.append("\(decimal(samplesPerSecond, 1)) samples/s")
        case .short: words.append("\(decimal(samplesPerSecond, 0))/s")
        case .none: break
        }
        if form.hasTime { words.append("\(Self.clock(max(0, secondsLeft - elapsed))) left") }
        if form.hasWorkers, workers > 1 { words.append("\(workers) workers") }
        return words
    }

    /// Minutes and seconds, or with hours, or days and hours; a question mark if it is not a duration.
    package static func clock(_ seconds: Double) -> String {
        guard seconds > -0.5, seconds < 1e9 else { return "?" }
        let whole = Int(seconds.rounded())
        if whole >= 86_400 { return String(format: "%dd %02dh", whole / 86_400, whole / 3_600 % 24) }
        if whole >= 3_600 { return String(format: "%d:%02d:%02d", whole / 3_600, whole / 60 % 60, whole % 60) }
        return String(format: "%d:%02d", whole / 60, whole % 60)
    }
}

/// Adds up steps for the figures of a line.
package struct ProgressMeter: Sendable {
    /// One step of the training loop.
    package struct Step: Sendable {
        package var step: Int
        package var totalSteps: Int
        package var epoch: Int
        package var epochs: Int
        package var loss: Double
        package var sourceLoss: Double?
        package var rate: Double
        package var samples: Int
        package var seconds: Double
        package var workers: Int
        /// Samples that evaluations score between this step and the end of the run.
        package var unscored: Int
        /// Samples an evaluation scores per second; nil before the first one.
        package var scoringSpeed: Double?

        package init(
            step: Int, totalSteps: Int, epoch: Int, epochs: Int, loss: Double, sourceLoss: Double? = nil, rate: Double,
            samples: Int, seconds: Double, workers: Int, unscored: Int = 0, scoringSpeed: Double? = nil
        ) {
            self.unscored = unscored
            self.scoringSpeed = scoringSpeed
            self.step = step
            self.totalSteps = totalSteps
            self.epoch = epoch
            self.epochs = epochs
            self.loss = loss
            self.sourceLoss = sourceLoss
            self.rate = rate
            self.samples = samples
            self.seconds = seconds
            self.workers = workers
        }
    }

    /// Seconds of work after which a step counts a third; nil: all steps count alike.
    private let memory: Double?
    private var steps = 0.0
    private var loss = 0.0
    private var sourceLoss = 0.0
    private var samples = 0.0
    private var seconds = 0.0

    package init(memory: Double? = nil) { self.memory = memory }

    package mutating func add(_ step: Step) {
        let kept = memory.map { exp(-step.seconds / $0) } ?? 1
        // A non-finite loss would stay forever.
        if !loss.isFinite || !sourceLoss.isFinite { self = ProgressMeter(memory: memory) }
        steps = steps * kept + 1
        loss = loss * kept + step.loss
        sourceLoss = sourceLoss * kept + (step.sourceLoss ?? 0)
        samples = samples * kept + Double(step.samples)
        seconds = seconds * kept + step.seconds
    }

    /// The figures after `step`, which was the last one added.
    package func figures(_ step: Step) -> ProgressFigures {
        let count = max(steps, 1e-9)
        let speed = samples / max(seconds, 1e-9)
        // To score a sample is about a third of the work of training on it.
        let scoring = Double(step.unscored) / max(step.scoringSpeed ?? 3 * speed, 1e-9)
        return ProgressFigures(
            step: step.step, totalSteps: step.totalSteps, epoch: step.epoch, epochs: step.epochs, loss: loss / count,
            sourceLoss: step.sourceLoss.map { _ in sourceLoss / count }, rate: step.rate,
            samplesPerSecond: speed,
            secondsLeft: Double(step.totalSteps - step.step) * seconds / count + scoring, workers: step.workers)
    }
}

/// When a log gets its next line of progress: at intervals that grow with the elapsed time, so that a run of any length
/// has about a hundred of them.
package struct GrowingInterval: Sendable {
    private let start: ContinuousClock.Instant
    private var last: ContinuousClock.Instant

    package init(from start: ContinuousClock.Instant) { (self.start, last) = (start, start) }

    /// Whether a line is due; the next one then comes at least 5 s, or an eighth of the elapsed time, after it.
    package mutating func isDue(_ now: ContinuousClock.Instant) -> Bool {
        guard now - last >= max(.seconds(5), (last - start) / 8) else { return false }
        last = now
        return true
    }
}
