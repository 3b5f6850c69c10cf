internal import Inputs
package import Configuration
internal import Kernels
internal import Learning
internal import Wording

/// The inputs of a run: its files by SHA-256, its labels and its options.
///
/// It is kept with the journal's first entry and in each checkpoint. A resumed run must have the same inputs, or its
/// bits would be those of no run. A value that an older build did not write is nil, and is not compared.
package struct RunIdentity: Codable, Sendable, Equatable {
    /// SHA-256 of each data file, by split.
    package var data: [String: String]
    /// SHA-256 of each file that is read of the source model's folder, by name.
    package var model: [String: String]?
    /// SHA-256 of the labels' names in their order.
    package var labels: String?
    /// The text of `config.yaml`.
    package var options: String?
    /// Steps of the whole run when this was written. They may change.
    package var plannedSteps: Int?
    /// ``Kernels/Arithmetic/description`` of what computed it. A checkpoint of another one is refused.
    package var arithmetic: String?

    package init(
        data: [String: String], model: [String: String]? = nil, labels: String? = nil, options: String? = nil,
        plannedSteps: Int? = nil,
        arithmetic: String? = nil
    ) {
        self.data = data
        self.model = model
        self.labels = labels
        self.options = options
        self.plannedSteps = plannedSteps
        self.arithmetic = arithmetic
    }

    /// Differences from a saved identity, each with both values; empty if the run may resume.
    /// - Throws: ``ConfigurationError`` if the saved options cannot be read.
    package func differences(from saved: RunIdentity) throws(ConfigurationError) -> [String] {
        var found = DataDigests.differences(saved.data, data).map { Self.line("\($0.what) has", $0.saved, $0.now) }
        if let before = saved.model, let model {
            found += Self.differences(before, model) { "the source model's \($0) has" }
        }
        // Labels follow from both, unless another build derives others.
        if found.isEmpty, let before = saved.labels, let labels, before != labels {
            found.append(Self.line("the list of labels has", before, labels))
        }
        if let before = saved.options, let options {
            let (saved, now) = (
                try ConfigurationFile.readSaved(text: before, cores: 1),
                try ConfigurationFile.readSaved(text: options, cores: 1)
            )
            found += TrainingConfiguration.resumeDifferences(saved: saved, now: now).filter { !$0.isPath }
                .map { "\($0.key.rawValue) has changed (was \($0.saved.shown), is \($0.now.shown))" }
        }
        return found
    }

    private static func differences(_ saved: [String: String], _ now: [String: String], _ name: (String) -> String)
        -> [String]
    {
        Set(saved.keys).union(now.keys).sorted().compactMap { key in
            saved[key] == now[key] ? nil : line(name(key), saved[key], now[key])
        }
    }

    private static func line(_ name: String, _ saved: String?, _ now: String?) -> String {
        func shown(_ digest: String?) -> String { digest.map { "\($0.prefix(12))…" } ?? "absent" }
        return "\(name) changed (SHA-256 was \(shown(saved)), is \(shown(now)))"
    }
}

extension RunInputs {
    /// The inputs of this run.
    package var identity: RunIdentity {
        var saved = configuration
        saved.resume = false
        return RunIdentity(
            data: digests, model: modelDigests, labels: labelsDigest, options: try? ConfigurationFile.text(saved),
            plannedSteps: plan.totalSteps,
            arithmetic: Arithmetic.description)
    }

    /// Refuses to resume a run with other inputs.
    /// - Parameter path: the file of the saved identity.
    func check(_ saved: RunIdentity, in path: String) throws {
        let differences = try identity.differences(from: saved)
        guard !differences.isEmpty else { return }
        throw InputError(
            "\(differences.joined(separator: ", ")) since \(path) was written: restore the file, or start a new run "
                + "in another folder"
        )
    }
}
