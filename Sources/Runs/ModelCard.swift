internal import BERT
internal import Configuration
internal import Console
internal import Foundation
internal import Hub
internal import Learning
internal import TextData
internal import Wording

/// `README.md` of a model folder: front matter as the Hugging Face hub reads it, then information for users of the
/// model.
///
/// It contains no text of the data. Untrusted names (labels, files, columns) are quoted in YAML and in code spans of
/// Markdown.
struct ModelCard {
    let inputs: RunInputs
    /// Figures by split, in this order.
    let figures: [(split: Split, report: EvaluationReport)]
    /// The step of the weights.
    let step: Int
    /// SHA-256 of `model.safetensors` and of the parameters; nil during the run.
    let digests: (file: String, parameters: String?)?

    var text: String { frontMatter + body }

    // MARK: Front matter

    /// Most labels that are listed.
    private static let mostLabels = 100

    private var frontMatter: String {
        var lines = ["---", "library_name: transformers", "pipeline_tag: \(pipeline)", "tags:", "- apus", "- bert"]
        if let task = inputs.configuration.task { lines.append("- \(task.rawValue)") }
        if inputs.model.lora != nil { lines.append("- lora") }
        if let base = Self.base(ofModel: inputs.configuration.model) {
            lines += ["base_model: \(Self.quoted(base.name))", "base_model_relation: finetune"]
            if let revision = base.revision { lines.append("base_model_revision: \(Self.quoted(revision))") }
        }
        let results = figures.flatMap { split, report in metrics(report).map { (split, $0) } }
        if !results.isEmpty {
            lines += ["model-index:", "- name: \(Self.quoted(name))", "  results:"]
            for (split, report) in figures {
                let own = metrics(report)
                guard !own.isEmpty else { continue }
                lines += [
                    "  - task:", "      type: \(pipeline)", "    dataset:", "      name: \(Self.quoted(file(split)))",
                    "      type: local",
                    "      split: \(split.rawValue)", "    metrics:",
                ]
                for metric in own {
                    lines += [
                        "    - type: \(metric.type)", "      value: \(metric.value)",
                        "      name: \(Self.quoted(metric.name))",
                    ]
                }
            }
        }
        return lines.joined(separator: "\n") + "\n---\n"
    }

    private var pipeline: String {
        switch inputs.model.head {
        case .classification, .regression, .multiLabel: "text-classification"
        case .tokenClassification: "token-classification"
        case .maskedLanguageModel: "fill-mask"
        }
    }

    private var name: String { "\(source), fine-tuned" }

    private var source: String {
        Self.base(ofModel: inputs.configuration.model)?.name ?? Self.last(inputs.configuration.model)
    }

    /// Figures under the hub's names.
    private func metrics(_ report: EvaluationReport) -> [(type: String, name: String, value: Double)] {
        let names: [(Measure, String)] = [
            (.accuracy, "accuracy"), (.exactMatch, "exact_match"), (.loss, "loss"), (.macroF1, "f1"),
            (.matthews, "matthews_correlation"), (.entityF1, "seqeval"),
            (.pearson, "pearsonr"), (.spearman, "spearmanr"), (.mse, "mse"),
        ]
        return names.compactMap { measure, type in
            measure.value(in: report).flatMap { $0.isFinite ? (type, measure.words(in: report), $0) : nil }
        }
    }

    /// The hub's name of the source model, and its revision, if its folder is in the hub's cache.
    static func base(ofModel path: String) -> (name: String, revision: String?)? {
        HubSnapshot(path: path).map { ($0.name.repository, $0.commit.digits) }
    }

    // MARK: Body

    private var body: String {
        var lines = ["", "# \(Self.code(name))", ""]
        lines.append("\(Self.code(source)), fine-tuned with Apus for \(task).")
        if let labels = inputs.labels {
            let shown = labels.names.prefix(Self.mostLabels).map(Self.code)
            lines += [
                "", "## Labels", "",
                shown.joined(separator: ", ")
                    + (labels.count > shown.count ? " and \(labels.count - shown.count) more" : ""),
            ]
        }
        lines += ["", "## Data", ""]
        for split in [Split.train, .validation, .test, .sourceTrain, .sourceValidation] {
            guard let found = inputs.statistics[split.rawValue] else { continue }
            let isHeldOut = inputs.configuration.data(of: split)?.isHeldOut ?? false
            lines.append(
                "- \(split.rawValue): \(counted(found.samples, "sample"))\(isHeldOut ? " held out" : "") of "
                    + "\(Self.code(file(split))), \(decimal(found.meanLength, 1)) tokens on average"
            )
        }
        if !figures.isEmpty {
            lines += ["", "## Figures", "", "After step \(step).", ""]
            for (split, report) in figures {
                let shown = metrics(report).map { "\($0.name) \(decimal($0.value, 4))" }
                lines.append(
                    "- \(split.rawValue), \(counted(report.samples, "sample")): " + shown.joined(separator: ", "))
            }
            for (split, report) in figures { lines += byClass(split, report) }
        }
        return (lines + training + check + limits).joined(separator: "\n") + "\n"
    }

    /// The table that the report has, too.
    private func byClass(_ split: Split, _ report: EvaluationReport) -> [String] {
        let rows = report.further.byClass(names: inputs.labels?.names ?? []).prefix(Self.mostLabels)
        guard !rows.isEmpty else { return [] }
        let samples = inputs.statistics[split.rawValue]?.classes?.map(\.count)
        return ["", "By class, \(split.rawValue):", "", "| class | samples | precision | recall | F1 |"]
            + ["|---|---|---|---|---|"]
            + rows.enumerated().map { index, own in
                let count = samples.flatMap { $0.indices.contains(index) ? String($0[index]) : nil } ?? "–"
                let figures = [own.precision, own.recall, own.f1].map { decimal($0, 4) }
                let name = Self.code(own.label).replacing("|", with: "\\|")
                return "| \(name) | \(count) | \(figures.joined(separator: " | ")) |"
            }
    }

    private var task: String {
        switch inputs.model.head {
        case .classification: "classification of texts"
        case .regression(let targets, _): targets == 1 ? "regression" : "regression of \(targets) numbers"
        case .multiLabel: "classification of texts with several labels"
        case .tokenClassification: "classification of tokens"
        case .maskedLanguageModel: "masked language modeling"
        }
    }

    private var training: [String] {
        let configuration = inputs.configuration
        let left: Set<TrainingConfiguration.Key> = [
            .model, .train, .validation, .test, .sourceTrain, .sourceValidation, .addTokens, .output, .resume,
            .insecure, .progress, .noTensorboard, .keep,
            .checkpointEvery, .minWorkers, .maxRestarts, .coordinatorTimeout, .heartbeatTimeout, .progressTimeout,
            .threads, .recompute,
        ]
        let shown = TrainingConfiguration.Key.allCases.filter { key in
            !left.contains(key) && configuration.value(key) != .absent && configuration.value(key) != .list([])
        }
        return ["", "## Training", ""] + shown.map { "- \($0.rawValue): \(Self.code(configuration.value($0).shown))" }
    }

    private var check: [String] {
        guard let digests else { return [] }
        return [
            "", "## Check", "",
            "The same configuration gives the same bits on any number of workers. `sha256sum model.safetensors` gives",
            "", "    \(digests.file)",
        ]
            + (digests.parameters.map {
                [
                    "", "and the run's summary.json, over names, shapes and float32 values of the parameters,", "",
                    "    \($0)",
                ]
            } ?? [])
    }

    private var limits: [String] {
        [
            "", "## Limits", "",
            "To be filled in: what the model is for, what it is not for, where the data come from and whom they "
                + "leave out.",
        ]
    }

    private func file(_ split: Split) -> String {
        DataFiles.lastName(inputs.configuration.data(of: split)?.files ?? "")
    }

    // MARK: Untrusted names

    private static func last(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    /// As a double-quoted scalar of YAML, of only printable ASCII.
    static func quoted(_ text: String) -> String {
        let escaped = text.unicodeScalars.map { scalar in
            switch scalar {
            case "\"", "\\": return "\\\(scalar)"
            case " "..."~": return String(scalar)
            default:
                let digits = String(scalar.value, radix: 16)
                let width = scalar.value > 0xFFFF ? 8 : 4
                return (width == 8 ? "\\U" : "\\u") + String(repeating: "0", count: width - digits.count) + digits
            }
        }
        return "\"\(escaped.joined())\""
    }

    /// As a code span of Markdown, in one line of limited length.
    static func code(_ text: String) -> String {
        let safe = ShownText.safe(text)
        let shown = safe.count > 200 ? safe.prefix(200) + "…" : safe
        let runs = shown.split(whereSeparator: { $0 != "`" }).map(\.count).max() ?? 0
        let fence = String(repeating: "`", count: runs + 1)
        let pad = shown.hasPrefix("`") || shown.hasSuffix("`") || shown.isEmpty ? " " : ""
        return "\(fence)\(pad)\(shown)\(pad)\(fence)"
    }
}
