internal import Foundation
internal import Wording

/// Why options cannot be used, found before any work.
package enum ConfigurationError: BadInput, Equatable, Sendable {
    /// The file is missing, unreadable or not UTF-8.
    case unreadable(path: String, reason: String)
    case unwritable(path: String, reason: String)
    case syntax(path: String, line: Int?, problem: String)
    case unknownKey(path: String, line: Int?, key: String, suggestion: String?)
    /// An option of another trainer that has no counterpart here.
    case otherTrainer(path: String, line: Int?, name: String, hint: String)
    case wrongKind(path: String?, line: Int?, key: TrainingConfiguration.Key, found: String, needed: String)
    case outOfRange(key: TrainingConfiguration.Key, found: String, needed: String)
    case sameColumn(key: TrainingConfiguration.Key, other: TrainingConfiguration.Key, name: String)
    case missingDefault(what: String, path: String, key: TrainingConfiguration.Key)
    case resumeWithoutOutput
    /// - Parameter hasState: whether the folder has anything else of a run.
    case nothingToResume(output: String, hasState: Bool)
    /// Options that cannot be combined: the conflict and its remedy.
    case contradiction(String)
    case changedOnResume(output: String, [TrainingConfiguration.Difference])
}

extension ConfigurationError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreadable(let path, let reason): "\(path) cannot be read: \(reason)"
        case .unwritable(let path, let reason): "\(path) cannot be written: \(reason)"
        case .syntax(let path, let line, let problem): "\(Self.place(path, line)): not YAML: \(problem)"
        case .unknownKey(let path, let line, let key, let suggestion):
            "\(Self.place(path, line)): unknown key '\(key)': "
                + (suggestion.map { "did you mean '\($0)'?" }
                    ?? "keys are the flags of 'apus train --help' without dashes")
        case .otherTrainer(let path, let line, let name, let hint):
            "\(Self.place(path, line)): \(name) is not an option here: \(hint)"
        case .wrongKind(let path, let line, let key, let found, let needed):
            "\(path.map { "\(Self.place($0, line)): " } ?? "")\(key.rawValue) is '\(found)', must be \(needed)"
                + Self.meant(found, among: needed)
        case .outOfRange(let key, let found, let needed): "\(key.flag) is \(found), must be \(needed)"
        case .sameColumn(let key, let other, let name):
            "\(key.flag) and \(other.flag) both name the column '\(name)': each needs a column of its own"
        case .missingDefault(let what, let path, let key):
            "\(what) is missing at \(path): run scripts/fetch.sh to fetch it, or give your own with \(key.flag)"
        case .resumeWithoutOutput: "--resume needs the folder of the run to resume: add --output DIR"
        case .nothingToResume(let output, let hasState):
            hasState
                ? "\(output) has no config.yaml and no copy of it: restore it, or give all options of the run again "
                    + "beside --resume"
                : "\(output) has no config.yaml, so no run to resume: leave out --resume to start one there"
        case .contradiction(let line): line
        case .changedOnResume(let output, let differences):
            "the run in \(output) cannot be resumed with other options: "
                + "\(differences.map(\.description).joined(separator: "; ")): "
                + "leave them out, or start a run in a new folder"
        }
    }

    /// A question about the choice that was probably meant, if there are choices.
    private static func meant(_ found: String, among needed: String) -> String {
        let choices = needed.components(separatedBy: " or ")
        guard choices.count > 2 else { return "" }
        let word = found.lowercased()
        let close =
            NearMiss.of(found, among: choices).map { [$0] }
            ?? choices.filter { $0.split(separator: "-").contains { $0 == word } }
        return close.isEmpty ? "" : ": did you mean \(close.map { "'\($0)'" }.joined(separator: " or "))?"
    }

    private static func place(_ path: String, _ line: Int?) -> String { line.map { "\(path) line \($0)" } ?? path }
}
