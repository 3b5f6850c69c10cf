internal import Checkpoints
internal import Foundation

/// The record of a run, read from its folder, whether finished, stopped or running. Read-only.
package struct RunRecord {
    package let path: String
    /// The contents of config.yaml; nil if it cannot be read.
    let configuration: TrainingConfiguration?
    /// Nil for a run that is not finished.
    let summary: JSONValue?
    let steps: [Step]
    let evaluations: [JSONValue]
    let epochs: [JSONValue]

    /// One optimizer step.
    struct Step {
        let step: Int
        let epoch: Int
        let loss: Double
        let sourceLoss: Double?
        let learningRate: Double
        let gradientNorm: Double
        let samples: Int
        let seconds: Double
        let workers: Int
    }

    enum State: String {
        case finished, running, stopped
    }

    /// - Throws: ``InputError`` if the folder has no run.
    package init(_ path: String) throws(InputError) {
        guard FileSystem.isFolder(path) else {
            throw InputError("\(path): there is no such folder: name the output folder of a run, such as runs/short")
        }
        let metrics = path + "/metrics.jsonl"
        summary = (try? FileSystem.read(path + "/summary.json")).flatMap { try? JSONValue(parsing: $0) }
        configuration = try? ConfigurationFile.readSaved(ConfigurationFile.path(inRun: path), cores: 1)
        guard summary != nil || configuration != nil || FileManager.default.fileExists(atPath: metrics) else {
            throw InputError("\(path) has no run: expected config.yaml, metrics.jsonl and summary.json in it")
        }
        self.path = path
        var steps: [Int: Step] = [:]
        var evaluations: [JSONValue] = []
        var epochs: [JSONValue] = []
        // An incomplete line, such as the last one of a running run, is skipped.
        for line in ((try? FileSystem.read(metrics)) ?? []).split(separator: 0x0A) {
            guard let event = try? JSONValue(parsing: Array(line)) else { continue }
            switch event["event"]?.string {
            case "step": if let step = Step(event) { steps[step.step] = step }
            case "evaluation": evaluations.append(event)
            case "epoch": epochs.append(event)
            default: continue
            }
        }
        self.steps = steps.values.sorted { $0.step < $1.step }
        self.evaluations = evaluations
        self.epochs = epochs
    }

    /// The runs at a path: those of a series of seeds, or the run itself.
    static func runs(at path: String) throws(InputError) -> [RunRecord] {
        let seeds = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter {
            $0.hasPrefix("seed-")
        }
        let sorted = seeds.sorted { (Int($0.dropFirst(5)) ?? 0, $0) < (Int($1.dropFirst(5)) ?? 0, $1) }
        guard !sorted.isEmpty else { return [try RunRecord(path)] }
        var runs: [RunRecord] = []
        for name in sorted { runs.append(try RunRecord(path + "/" + name)) }
        return runs
    }

    var state: State {
        if summary != nil { return .finished }
        return RunFolder.isHeld(path) ? .running : .stopped
    }

    /// Changes of the number of workers, and recomputed samples.
    var events: [(step: Int, text: String)] {
        var events = zip(steps, steps.dropFirst()).filter { $0.workers != $1.workers }.map {
            (
                step: $1.step,
                text: "\(counted($0.workers, "worker")) before, \(counted($1.workers, "worker")) from here on"
            )
        }
        for epoch in epochs {
            guard let step = epoch["step"]?.integer, let redone = epoch["redone"]?.integer, redone > 0 else { continue }
            events.append((step, "\(counted(redone, "sample")) of this epoch recomputed after a loss"))
        }
        return events.sorted { $0.step < $1.step }
    }

    /// The newest evaluation of a split; nil if there is none.
    func newest(_ split: Split) -> JSONValue? { evaluations.last { $0["split"]?.string == split.rawValue } }
}

extension RunRecord.Step {
    init?(_ event: JSONValue) {
        guard let step = event["step"]?.integer else { return nil }
        func number(_ key: String) -> Double { event[key]?.double ?? .nan }
        self.init(
            step: step, epoch: event["epoch"]?.integer ?? 0, loss: number("loss"),
            sourceLoss: event["source_loss"]?.double,
            learningRate: number("learning_rate"), gradientNorm: number("gradient_norm"),
            samples: (event["samples"]?.integer ?? 0) + (event["source_samples"]?.integer ?? 0),
            seconds: number("seconds"),
            workers: max(1, event["workers"]?.array?.count ?? 1))
    }
}
