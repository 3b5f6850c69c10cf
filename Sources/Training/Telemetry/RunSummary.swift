package import Foundation

/// `summary.json`: what a finished run did.
package struct RunSummary: Codable, Sendable {
    package struct Figures: Codable, Sendable {
        package var loss: Double
        package var accuracy: Double?

        package init(_ report: EvaluationReport) {
            loss = report.loss
            accuracy = report.accuracy
        }
    }

    package var epochs: Int
    package var steps: Int
    package var samplesPerSecond: Double
    package var tokensPerSecond: Double
    /// Wall-clock seconds of this process, from its start.
    package var seconds: Double
    package var peakResidentBytes: Int
    package var validation: Figures?
    package var bestValidation: Figures?
    package var bestStep: Int?
    package var test: Figures?
    package var parametersSHA256: String
    package var lanes: Int
    package var workers: Int
    package var threads: Int
    package var seed: UInt64
    /// Samples that were longer than --max-length.
    package var truncated: Int
    package var command: String
    /// The command that gives the same bits anywhere.
    package var reproduce: String

    enum CodingKeys: String, CodingKey {
        case epochs, steps
        case samplesPerSecond = "samples_per_second"
        case tokensPerSecond = "tokens_per_second"
        case seconds
        case peakResidentBytes = "peak_resident_bytes"
        case validation
        case bestValidation = "best_validation"
        case bestStep = "best_step"
        case test
        case parametersSHA256 = "parameters_sha256"
        case lanes, workers, threads, seed, truncated, command, reproduce
    }

    package func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}

/// Largest resident memory of this process so far, in bytes.
package func peakResidentBytes() -> Int {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return 0 }
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0.trimmingCharacters(in: .whitespaces)) } ?? 0) * 1_024
}
