internal import Console
package import Files
internal import Foundation
internal import Learning

/// A run's curves, as points for TensorBoard.
struct TensorBoardCurves {
    /// Steps over which the workers' times are averaged.
    static let workersEvery = 100
    /// Most classes for which each has its own curves.
    private static let mostClasses = 32

    private let labels: [String]
    private var shares: [Int: (count: Double, compute: Double, exchange: Double, wait: Double)] = [:]
    private var told: (workers: Int, generation: Int?)?

    /// - Parameter labels: names of the classes.
    init(labels: [String]) { self.labels = labels.map(ShownText.safe) }

    mutating func points(_ event: StepEvent) -> [EventRecord.Value] {
        var points: [EventRecord.Value] = [
            .scalar("train/loss", event.loss), .scalar("train/learning_rate", event.learningRate),
            .scalar("train/gradient_norm", event.gradientNorm),
        ]
        if event.seconds > 0 {
            points.append(
                .scalar("train/samples_per_second", Double(event.samples + (event.sourceSamples ?? 0)) / event.seconds))
            points.append(
                .scalar("train/tokens_per_second", Double(event.tokens + (event.sourceTokens ?? 0)) / event.seconds))
        }
        if let loss = event.sourceLoss { points.append(.scalar("source_train/loss", loss)) }
        if let lambda = event.lambda { points.append(.scalar("train/lambda", lambda)) }
        return points + workers(event)
    }

    private mutating func workers(_ event: StepEvent) -> [EventRecord.Value] {
        guard let workers = event.workers else { return [] }
        for share in workers {
            let old = shares[share.rank] ?? (0, 0, 0, 0)
            shares[share.rank] = (
                old.count + 1, old.compute + share.compute, old.exchange + share.exchange, old.wait + share.wait
            )
        }
        let isDue = event.step % Self.workersEvery == 0
        var points: [EventRecord.Value] = []
        if isDue || told == nil || told?.workers != workers.count || told?.generation != event.generation {
            told = (workers.count, event.generation)
            points.append(.scalar("workers/count", Double(workers.count)))
            if let generation = event.generation { points.append(.scalar("workers/generation", Double(generation))) }
        }
        guard isDue else { return points }
        let all = Array(shares.values)
        for (name, values) in [
            ("compute", all.map { $0.compute / $0.count }), ("exchange", all.map { $0.exchange / $0.count }),
            ("wait", all.map { $0.wait / $0.count }),
        ] {
            points.append(.scalar("workers/\(name)_seconds_min", values.min() ?? 0))
            points.append(.scalar("workers/\(name)_seconds_mean", values.reduce(0, +) / Double(max(1, values.count))))
            points.append(.scalar("workers/\(name)_seconds_max", values.max() ?? 0))
        }
        shares = [:]
        return points
    }

    /// - Parameter event: a line of metrics.jsonl about an evaluation.
    func points(evaluation event: JSONValue) -> [EventRecord.Value] {
        let split = (event["split"]?.string ?? "evaluation").replacing("-", with: "_")
        var points: [EventRecord.Value] = []
        for member in event.members ?? []
        where !["step", "epoch", "samples", "seconds", "event", "split"].contains(member.key) {
            if let value = Self.number(member.value) {
                points.append(.scalar("\(split)/\(member.key)", value))
            } else if let items = member.value.array, items.count == labels.count, items.count <= Self.mostClasses {
                for (label, item) in zip(labels, items) {
                    if let value = Self.number(item) {
                        points.append(.scalar("\(split)/\(member.key)/\(label)", value))
                    }
                }
            }
        }
        return points
    }

    /// A number, including non-finite ones.
    static func number(_ value: JSONValue?) -> Double? {
        switch value?.string {
        case "nan": .nan
        case "inf": .infinity
        case "-inf": -.infinity
        default: value?.double
        }
    }
}

extension StepEvent {
    /// The points of a line of metrics.jsonl; nil if it is another event.
    init?(_ json: JSONValue) {
        guard json["event"]?.string == "step", let step = json["step"]?.integer, let epoch = json["epoch"]?.integer,
            let loss = TensorBoardCurves.number(json["loss"]),
            let rate = TensorBoardCurves.number(json["learning_rate"]),
            let norm = TensorBoardCurves.number(json["gradient_norm"]), let samples = json["samples"]?.integer,
            let tokens = json["tokens"]?.integer,
            let seconds = TensorBoardCurves.number(json["seconds"])
        else { return nil }
        self.init(
            step: step, epoch: epoch, loss: loss, learningRate: rate, gradientNorm: norm, samples: samples,
            tokens: tokens, seconds: seconds,
            sourceLoss: TensorBoardCurves.number(json["source_loss"]), sourceSamples: json["source_samples"]?.integer,
            sourceTokens: json["source_tokens"]?.integer, lambda: TensorBoardCurves.number(json["lambda"]),
            workers: json["workers"]?.array?.compactMap(WorkerShare.init), generation: json["generation"]?.integer)
    }
}

extension WorkerShare {
    fileprivate init?(_ json: JSONValue) {
        guard let rank = json["rank"]?.integer, let compute = json["compute"]?.double,
            let exchange = json["exchange"]?.double, let wait = json["wait"]?.double
        else { return nil }
        self.init(rank: rank, compute: compute, exchange: exchange, wait: wait, bytes: json["bytes"]?.integer ?? 0)
    }
}

/// Keeps `tensorboard/` in step with `metrics.jsonl`.
///
/// A resumed run has a new file, whose first record invalidates later points of earlier files: no point occurs twice.
package struct TensorBoardLog {
    /// Steps whose points a file repeats from before it: the earlier process may have ended before it had written its
    /// last ones.
    package static let overlap = 256

    private let folder: TensorBoardFolder
    private var curves: TensorBoardCurves

    /// - Parameters:
    ///   - run: the folder of the run.
    ///   - first: the step from which on this file has the points; lines of metrics.jsonl from it on are copied. Nil
    ///     for a new run.
    package init(
        run: String, from first: Int?, labels: [String], configuration: String,
        say: @escaping @Sendable (String) -> Void
    ) {
        folder = TensorBoardFolder(run + "/tensorboard", say: say)
        curves = TensorBoardCurves(labels: labels)
        folder.add(.version(seconds: Self.now))
        if let first { folder.add(.start(step: first, seconds: Self.now)) }
        folder.add(.summary([.text("configuration/text_summary", configuration)], step: first ?? 0, seconds: Self.now))
        guard let first, let bytes = try? FileSystem.read(run + "/metrics.jsonl") else { return }
        for line in bytes.split(separator: 0x0A) {
            guard let event = try? JSONValue(parsing: Array(line)), event["step"]?.integer ?? 0 >= first else {
                continue
            }
            if let step = StepEvent(event) {
                add(step)
            } else if event["event"]?.string == "evaluation" {
                add(evaluation: event)
            }
        }
    }

    private static var now: Double { Date.now.timeIntervalSince1970 }

    package mutating func add(_ event: StepEvent) {
        folder.add(.summary(curves.points(event), step: event.step, seconds: Self.now))
    }

    package func add(evaluation event: JSONValue) {
        folder.add(.summary(curves.points(evaluation: event), step: event["step"]?.integer ?? 0, seconds: Self.now))
    }

    package func close() { folder.close() }
}
