internal import Foundation

extension TrainingConfiguration {
    /// The command that goes on with the run as it was started: over workers by the launcher, with workers started by hand, or in one process.
    var resumeCommand: String {
        let isLaunched = ProcessInfo.processInfo.environment["APUS_PROGRAM"] != nil
        let words = CommandLine.arguments.dropFirst()
        guard !isLaunched, words.first == "coordinate" else {
            return "\(programName) \(isLaunched ? "launch" : "train") --resume --output \(shellQuoted(output))"
        }
        let kept = ["--workers", "--endpoint"].compactMap { flag in
            words.firstIndex(of: flag).flatMap { $0 + 1 < words.endIndex ? "\(flag) \(shellQuoted(words[$0 + 1]))" : nil }
        }
        return "\(programName) coordinate --resume --output \(shellQuoted(output)) \(kept.joined(separator: " "))"
    }
}
