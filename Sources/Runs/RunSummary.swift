internal import Files
package import Foundation
package import Kernels
package import Learning

/// `summary.json`: the results of a finished run.
package struct RunSummary: Codable, Sendable {
    /// The figures of one evaluation.
    package struct Figures: Codable, Sendable {
        package var loss: Double
        package var accuracy: Double?
        package var further: FurtherFigures

        package init(_ report: EvaluationReport) {
            loss = report.loss
            accuracy = report.accuracy
            further = report.further
        }

        private enum CodingKeys: String, CodingKey { case loss, accuracy }

        package init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: CodingKeys.self)
            loss = try members.decode(Double.self, forKey: .loss)
            accuracy = try members.decodeIfPresent(Double.self, forKey: .accuracy)
            further = try FurtherFigures(from: decoder)
        }

        package func encode(to encoder: any Encoder) throws {
            var members = encoder.container(keyedBy: CodingKeys.self)
            try members.encode(loss, forKey: .loss)
            try members.encodeIfPresent(accuracy, forKey: .accuracy)
            try further.encode(to: encoder)
        }
    }

    /// The model that the run began with.
    package struct Source: Codable, Sendable, Equatable {
        /// Its name on the hub; nil for another folder than one of the hub's cache.
        package var repository: String?
        /// The commit of that.
        package var revision: String?
        /// SHA-256 of each file that was read, by name.
        package var files: [String: String]
    }

    package var sourceModel: Source?
    package var epochs: EpochCount
    package var steps: Int
    /// Without the first steps; over all steps of a run that several processes ran, one after the other.
    package var samplesPerSecond: Double
    package var tokensPerSecond: Double
    /// Wall-clock seconds of this process, from its start.
    package var seconds: Double
    /// The seconds in which steps were computed, by all processes that ran them one after the other.
    package var trainingSeconds: Double?
    package var peakResidentBytes: Int
    package var validation: Figures?
    package var bestValidation: Figures?
    package var bestStep: Int?
    /// Whether the run ended before its last step because validation did not improve.
    package var stoppedEarly: Bool?
    package var test: Figures?
    package var sourceValidation: Figures?
    package var parametersSHA256: String
    package var lanes: Int
    /// Of the encoder's products.
    package var precision: Precision
    package var workers: Int
    package var threads: Int
    package var seed: UInt64
    /// Samples that were longer than --max-length.
    package var truncated: Int
    /// Statistics of the data, by split.
    package var data: [String: DataStatistics]
    package var command: String
    /// The command that reproduces the same bits anywhere; nil if none does.
    package var reproduce: String?

    enum CodingKeys: String, CodingKey {
        case sourceModel = "source_model"
        case epochs, steps
        case samplesPerSecond = "samples_per_second"
        case tokensPerSecond = "tokens_per_second"
        case seconds
        case trainingSeconds = "training_seconds"
        case peakResidentBytes = "peak_resident_bytes"
        case validation
        case bestValidation = "best_validation"
        case bestStep = "best_step"
        case stoppedEarly = "stopped_early"
        case test
        case sourceValidation = "source_validation"
        case parametersSHA256 = "parameters_sha256"
        case lanes, precision, workers, threads, seed, truncated, data, command, reproduce
    }

    package func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.takesAllNumbers()
        return try encoder.encode(self)
    }
}

/// Largest resident memory of this process so far, in bytes.
package func peakResidentBytes() -> Int {
    guard let status = SystemFile.text("/proc/self/status") else { return 0 }
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0.trimmingCharacters(in: .whitespaces)) } ?? 0)
        * 1_024
}
