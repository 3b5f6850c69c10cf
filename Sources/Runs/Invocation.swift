internal import Foundation

/// How the user started this program; a child of the launcher names the launcher.
var programName: String {
    shellQuoted(ProcessInfo.processInfo.environment["APUS_PROGRAM"] ?? CommandLine.arguments.first ?? "apus")
}

/// The command line as typed, arguments quoted where a shell needs it, without what only shows the run.
///
/// A child of the launcher names the launcher's.
package var commandLine: String {
    ProcessInfo.processInfo.environment["APUS_COMMAND"]
        ?? CommandLine.arguments.filter { $0 != "--dashboard" }.map(shellQuoted).joined(separator: " ")
}

/// One argument as a shell has to read it.
package func shellQuoted(_ argument: String) -> String {
    let isPlain = argument.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_./=:,+@%".contains($0)) }
    return isPlain && !argument.isEmpty ? argument : "'" + argument.replacing("'", with: "'\\''") + "'"
}
