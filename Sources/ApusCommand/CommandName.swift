internal import ArgumentParser
internal import Configuration
internal import Wording

/// The first word of the command line when it is not a command.
enum CommandName {
    struct Unknown: BadInput {
        let description: String
    }

    /// The command that a command line names; for `help`, the command that it explains.
    static func given(_ arguments: [String]) -> String? {
        arguments.first == "help" ? arguments.dropFirst().first : arguments.first
    }

    /// - Throws: ``Unknown`` with the command that was probably meant.
    static func check(_ arguments: [String]) throws(Unknown) {
        guard let word = arguments.first, !word.hasPrefix("-"), word != "help" else { return }
        let known = ApusCommand.configuration.subcommands.map { $0._commandName }
        guard !known.contains(word) else { return }
        let meant =
            NearMiss.of(word, among: known).map { "did you mean '\($0)'?" }
            ?? "expected one of \(known.joined(separator: ", ")):"
        throw Unknown(description: "'\(word)' is not a command: \(meant) see 'apus help'")
    }
}
