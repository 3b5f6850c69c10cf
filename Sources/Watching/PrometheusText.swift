internal import Files
internal import Learning
internal import Reports

/// A run's figures in the text format of Prometheus, version 0.0.4.
enum PrometheusText {
    private enum Kind: String { case gauge, counter }

    static func text(_ status: LiveStatus?) -> String {
        var text = ""
        func add(
            _ name: String, _ kind: Kind, _ help: String, _ samples: [(labels: [(String, String)], value: Double?)]
        ) {
            let known = samples.compactMap { sample in sample.value.map { (sample.labels, $0) } }
            guard !known.isEmpty else { return }
            text += "# HELP apus_\(name) \(help)\n# TYPE apus_\(name) \(kind.rawValue)\n"
            for (labels, value) in known {
                let list = labels.map { "\($0)=\"\(escaped($1))\"" }.joined(separator: ",")
                text += "apus_\(name)\(list.isEmpty ? "" : "{\(list)}") \(number(value))\n"
            }
        }
        func one(_ name: String, _ kind: Kind, _ help: String, _ value: Double?) {
            add(name, kind, help, [([], value)])
        }
        let run = status?.run
        add(
            "run_state", .gauge, "Whether the run is in this state.",
            [RunRecord.State.running, .stopped, .finished].map { state in
                ([("state", state.rawValue)], run?.state == state ? 1 : 0)
            })
        guard let status, let run else { return text }
        let last = run.steps.last
        one("step", .gauge, "The newest step.", Double(status.step))
        one("planned_steps", .gauge, "Steps that the run is to have.", status.totalSteps.map { Double($0) })
        one("epoch", .gauge, "The epoch of the newest step, from 1.", last.map { Double($0.epoch) })
        one("train_loss", .gauge, "Mean loss of the samples of the newest step.", last?.loss)
        one("learning_rate", .gauge, "Learning rate of the newest step.", last?.learningRate)
        one(
            "gradient_norm", .gauge, "Norm of the gradient of the newest step, before it was clipped.",
            last?.gradientNorm)
        one("step_seconds", .gauge, "Duration of the newest step.", last?.seconds)
        one("samples_per_second", .gauge, "Samples a second over the newest 20 steps.", status.samplesPerSecond)
        one("tokens_per_second", .gauge, "Tokens a second over the newest 20 steps.", status.tokensPerSecond)
        one(
            "samples_total", .counter, "Samples of all steps of the run.",
            run.steps.reduce(0) { $0 + Double($1.samples) })
        one("tokens_total", .counter, "Tokens of all steps of the run.", run.steps.reduce(0) { $0 + Double($1.tokens) })
        one("generation", .gauge, "Version of the membership of the workers.", status.generation.map { Double($0) })
        let workers = status.workers
        one("workers", .gauge, "Workers that are not lost.", Double(workers.count { $0.state != "lost" }))
        for (name, help, value) in [
            ("compute", "Mean seconds of a step that the worker computed.", { $0.compute }),
            ("exchange", "Mean seconds of a step that the worker exchanged gradients.", { $0.exchange }),
            ("wait", "Mean seconds of a step that the worker waited.", { $0.wait }),
        ] as [(String, String, (LiveStatus.Worker) -> Double?)] {
            add(
                "worker_\(name)_seconds", .gauge, help,
                workers.map { ([("rank", String($0.rank)), ("host", $0.host)], value($0)) })
        }
        add("evaluation", .gauge, "Figures of the newest evaluation of each split.", evaluations(run))
        return text
    }

    private static func evaluations(_ run: RunRecord) -> [(labels: [(String, String)], value: Double?)] {
        [Split.validation, .sourceValidation, .test].flatMap { split in
            (run.newest(split)?.members ?? []).filter { !["step", "epoch", "samples", "seconds"].contains($0.key) }
                .map { ([("split", split.rawValue), ("figure", $0.key)], $0.value.double) }
        }
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
            .replacing("\r", with: "\\n")
    }

    private static func number(_ value: Double) -> String {
        value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Inf" : "+Inf") : "\(value)"
    }
}
