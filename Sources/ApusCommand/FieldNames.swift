internal import Configuration
internal import Wording

/// Names that other trainers use for the same options, accepted wherever training options are; underscores count as
/// dashes in the names of all options.
enum FieldNames {
    private static let commands: Set = ["train", "coordinate", "launch", "work"]
    /// Torchrun's name, for the command that starts workers.
    private static let launchers = ["nproc-per-node": "workers"]

    struct NotHere: BadInput {
        let description: String
    }

    /// The arguments in this program's own names; an optional `--` before launch's training options is dropped.
    static func translated(_ arguments: [String]) throws(NotHere) -> [String] {
        guard let command = arguments.first else { return arguments }
        var (translated, rest) = ([command], arguments.dropFirst())
        while let argument = rest.popFirst() {
            guard argument != "--" else {
                if command == "launch" { continue }
                return translated + [argument] + rest
            }
            guard argument.hasPrefix("--") else {
                translated.append(argument)
                continue
            }
            let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = OptionName.dashed(String(parts.first ?? ""))
            let attached = parts.count > 1 ? String(parts[1]) : nil
            let isTraining = commands.contains(command)
            translated += try isTraining ? option(name, attached, &rest, of: command) : [Self.flag(name, attached)]
        }
        return translated
    }

    private static func flag(_ name: String, _ value: String?) -> String {
        "--\(name)" + (value.map { "=\($0)" } ?? "")
    }

    private static func option(
        _ name: String, _ attached: String?, _ rest: inout ArraySlice<String>, of command: String
    ) throws(NotHere) -> [String] {
        if let own = launchers[name] {
            guard command == "launch" || command == "coordinate" else {
                let what = command == "train" ? "one process" : "one worker"
                throw NotHere(
                    description: "--\(name) starts several workers, apus \(command) is \(what): use apus launch "
                        + "--workers \(attached ?? rest.first ?? "N")")
            }
            return [flag(own, attached)]
        }
        switch OptionName(name) {
        case .own, nil: return [flag(name, attached)]
        case .hint(let hint): throw NotHere(description: "--\(name) is not an option: \(hint)")
        case .other(let key, let value):
            if key == .recompute { return isWanted(attached, &rest) ? [key.flag] : [] }
            if key == .precision { return value("\(isWanted(attached, &rest))").map { [flag(key.rawValue, $0)] } ?? [] }
            guard let given = attached ?? rest.popFirst() else { return [key.flag] }
            guard let ours = value(given) else {
                throw NotHere(
                    description: "--\(name) is \(given): expected a share of the run from 0 up and below 1, such as 0.1"
                )
            }
            return attached == nil ? [key.flag, ours] : [flag(key.rawValue, ours)]
        }
    }

    /// Whether a flag of Transformers' scripts is set: True or False may follow it.
    private static func isWanted(_ attached: String?, _ rest: inout ArraySlice<String>) -> Bool {
        let word = attached ?? rest.first
        guard let wanted = word.flatMap({ Bool($0.lowercased()) }) else { return true }
        if attached == nil { _ = rest.popFirst() }
        return wanted
    }
}
