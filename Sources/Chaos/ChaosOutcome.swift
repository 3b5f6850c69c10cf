internal import Wording

/// How a disturbed run ended, and whether that is correct.
package struct ChaosOutcome: Equatable, Sendable {
    /// Exit status of the launcher; nil if it did not end in time.
    package var status: Int32?
    /// `parameters_sha256` of the run's summary; empty without one.
    package var digest: String
    /// The steps in the metrics, in order.
    package var steps: [Int]
    /// The ledger's lines, one per epoch.
    package var ledger: [String]
    /// Leftovers of the run: processes and folders.
    package var leftovers: [String]
    package var seconds: Double
    /// Descriptions of its faults.
    package var deeds: [String] = []

    package init(
        status: Int32?, digest: String, steps: [Int], ledger: [String], leftovers: [String], seconds: Double,
        deeds: [String] = []
    ) {
        self.status = status
        self.digest = digest
        self.steps = steps
        self.ledger = ledger
        self.leftovers = leftovers
        self.seconds = seconds
        self.deeds = deeds
    }

    /// Differences from an undisturbed run; empty if there are none.
    package func complaints(against undisturbed: ChaosOutcome) -> [String] {
        guard let status else { return ["HANGS: it did not end in time"] + leftovers.map { "LEFT: \($0)" } }
        var found: [String] = []
        if status != 0 { found.append("FAILED with exit status \(status)") }
        if digest != undisturbed.digest {
            found.append("OTHER BITS: \(digest.isEmpty ? "no weights" : digest), undisturbed \(undisturbed.digest)")
        }
        if steps != undisturbed.steps {
            found.append(
                "STEPS: the metrics have \(counted(steps.count, "step")) up to \(steps.last ?? 0), undisturbed "
                    + "\(undisturbed.steps.count)"
            )
        }
        for line in ledger where !line.contains("each exactly once") { found.append("LEDGER: \(line)") }
        if ledger.isEmpty != undisturbed.ledger.isEmpty { found.append("LEDGER: it has no line about an epoch") }
        return found + leftovers.map { "LEFT: \($0)" }
    }

    /// Samples that the ledger counts as recomputed.
    package var redone: Int {
        ledger.reduce(0) { sum, line in
            sum + (line.firstMatch(of: /([0-9]+) redone after losses/).flatMap { Int($0.1) } ?? 0)
        }
    }
}

/// The outcome of many runs, in one line.
package struct ChaosTally: Sendable {
    package private(set) var runs = 0
    package private(set) var failed = 0
    package private(set) var deeds = 0
    private var lost: [Double] = []

    package init() {}

    package mutating func add(_ outcome: ChaosOutcome, isWell: Bool, lost seconds: Double) {
        runs += 1
        deeds += outcome.deeds.count
        if isWell { lost.append(seconds) } else { failed += 1 }
    }

    package func line(digest: String) -> String {
        let sorted = lost.sorted()
        let times =
            sorted.isEmpty
            ? ""
            : "; seconds lost per run: median \(decimal(sorted[sorted.count / 2], 1)), most "
                + "\(decimal(sorted[sorted.count - 1], 1))"
        return
            "\(counted(runs, "run")), \(counted(deeds, "fault")): \(runs - failed) ended with the SHA-256 of the "
            + "undisturbed run, \(digest), "
            + "no sample lost or repeated, no process left" + (failed > 0 ? "; \(failed) DID NOT" : "") + times
    }
}
