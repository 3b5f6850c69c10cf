/// How the user started this program: what messages repeat, and what a launcher passes on to its children.
///
/// Built once, where the program begins; nothing below reads the process's arguments.
package struct Invocation: Sendable {
    /// The program's name comes first.
    package let arguments: [String]
    /// Of this process at its start.
    package let environment: [String: String]
    /// The command that resumes the run as it was started; nil until somebody has said it.
    ///
    /// The process that starts the others knows it and passes it to them; a queue's script may set the variable itself.
    package private(set) var resumeCommand: String?

    package init(arguments: [String], environment: [String: String] = [:]) {
        self.arguments = arguments
        self.environment = environment
        resumeCommand = environment[Variable.resumeCommand]
    }

    private enum Variable {
        static let program = "APUS_PROGRAM"
        static let command = "APUS_COMMAND"
        static let resumeCommand = "APUS_RESUME_COMMAND"
    }

    /// The program as the user named it, quoted for a shell; a child of the launcher names the launcher.
    package var program: String { shellQuoted(environment[Variable.program] ?? arguments.first ?? "apus") }

    /// The command line as typed, arguments quoted where a shell needs it, without what only shows the run.
    ///
    /// A child of the launcher names the launcher's.
    package var command: String {
        environment[Variable.command] ?? shown.map(shellQuoted).joined(separator: " ")
    }

    private var shown: [String] {
        var (shown, isValue) = ([String](), false)
        for argument in arguments {
            let name = argument.replacing("_", with: "-")
            if !isValue, name != "--dashboard", name != "--log-level", !name.hasPrefix("--log-level=") {
                shown.append(argument)
            }
            isValue = !isValue && name == "--log-level"
        }
        return shown
    }

    /// What children find in their environment.
    package var handedDown: [String: String] {
        var variables = [Variable.command: command]
        variables[Variable.program] = arguments.first
        variables[Variable.resumeCommand] = resumeCommand
        return variables
    }

    /// The same, with `command` to resume the run unless a parent process gave one.
    package func resumed(by command: String) -> Invocation {
        var known = self
        known.resumeCommand = resumeCommand ?? command
        return known
    }
}

/// One argument as a shell has to read it.
package func shellQuoted(_ argument: String) -> String {
    let isPlain = argument.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_./=:,+@%".contains($0)) }
    return isPlain && !argument.isEmpty ? argument : "'" + argument.replacing("'", with: "'\\''") + "'"
}
