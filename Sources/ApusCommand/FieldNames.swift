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
            guard isTraining else {
                translated.append(Self.flag(name, attached))
                continue
            }
            let words = try option(name, attached, &rest, of: command)
            translated += joined(words, &rest)
        }
        return translated
    }

    /// Several files or label columns behind one option become one list with commas, as a shell writes out an unquoted
    /// pattern.
    private static func joined(_ words: [String], _ rest: inout ArraySlice<String>) -> [String] {
        let parts = (words.first ?? "").dropFirst(2).split(separator: "=", maxSplits: 1)
        guard let key = parts.first.flatMap({ TrainingConfiguration.Key(rawValue: String($0)) }),
            key.namesData || key == .labelColumn || key == .sourceLabelColumn
        else {
            return words
        }
        var files = parts.dropFirst().map(String.init) + words.dropFirst()
        while let file = rest.first, !file.hasPrefix("-") {
            files.append(file)
            rest.removeFirst()
        }
        guard files.count < 2 else { return [key.flag, files.joined(separator: ",")] }
        return words.count + parts.count == 2 ? words + files : words
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
