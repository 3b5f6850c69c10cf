internal import Checkpoints
internal import Configuration
package import Files
internal import Foundation
package import Learning
package import Wording

/// The record of a run, read from its folder, whether finished, stopped or running. Read-only.
package struct RunRecord {
    package let path: String
    /// The contents of config.yaml; nil if it cannot be read.
    let configuration: TrainingConfiguration?
    /// Nil for a run that is not finished.
    let summary: JSONValue?
    /// The contents of metrics.jsonl.
    package let events: RunEvents
    package var steps: [Step] { events.steps }
    var evaluations: [JSONValue] { events.evaluations }

    /// One optimizer step.
    package struct Step {
        package let step: Int
        package let epoch: Int
        package let loss: Double
        let sourceLoss: Double?
        package let learningRate: Double
        package let gradientNorm: Double
        package let samples: Int
        package let tokens: Int
        package let seconds: Double
        package let workers: Int
    }

    /// Whether the run has its summary, is held by a process, or neither.
    package enum State: String {
        case finished, running, stopped
    }

    /// - Parameter following: the contents of metrics.jsonl, if they are known already.
    /// - Throws: ``InputError`` if the folder has no run.
    package init(_ path: String, following: RunEvents? = nil) throws(InputError) {
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
        if let following {
            events = following
        } else {
            var follower = MetricsFollower(metrics)
            _ = follower.refresh()
            events = follower.events
        }
    }

    /// The runs at a path: those of a series of seeds, or the run itself.
    static func runs(at path: String) throws(InputError) -> [RunRecord] {
        var runs: [RunRecord] = []
        for folder in folders(at: path) { runs.append(try RunRecord(folder)) }
        return runs
    }

    /// Their folders.
    package static func folders(at path: String) -> [String] {
        let seeds = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter {
            $0.hasPrefix("seed-")
        }
        let sorted = seeds.sorted { (Int($0.dropFirst(5)) ?? 0, $0) < (Int($1.dropFirst(5)) ?? 0, $1) }
        return sorted.isEmpty ? [path] : sorted.map { path + "/" + $0 }
    }

    package var state: State {
        // A run that was made longer has the summary of the shorter one.
        if let summary, (summary["steps"]?.integer ?? .max) >= steps.last?.step ?? 0 { return .finished }
        return RunFolder.isHeld(path) ? .running : .stopped
    }

    /// The newest evaluation of a split; nil if there is none.
    package func newest(_ split: Split) -> JSONValue? { evaluations.last { $0["split"]?.string == split.rawValue } }
}

extension RunRecord.Step {
    init?(_ event: JSONValue) {
        guard let step = event["step"]?.count else { return nil }
        func number(_ key: String) -> Double { event[key]?.double ?? .nan }
        func count(_ key: String) -> Int { event[key]?.count ?? 0 }
        self.init(
            step: step, epoch: count("epoch"), loss: number("loss"), sourceLoss: event["source_loss"]?.double,
            learningRate: number("learning_rate"), gradientNorm: number("gradient_norm"),
            samples: count("samples") + count("source_samples"), tokens: count("tokens") + count("source_tokens"),
            seconds: number("seconds"), workers: max(1, event["workers"]?.array?.count ?? 1))
    }
}
