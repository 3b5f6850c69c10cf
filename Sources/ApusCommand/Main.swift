internal import ArgumentParser
internal import Console
internal import Foundation
internal import Hub
internal import Kernels
internal import Processes
internal import Wording

/// Parses the arguments, runs the command, and exits with its status and one line for an error.
@main
enum Main {
    static func main() {
        Arithmetic.setFloatEnvironment()
        // A closed pipe and a file over its size limit shall be errors of the write, not signals that end the program.
        for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
        HubToken.take()
        do {
            if let level = unsafe getenv("APUS_VECTOR_LEVEL"), unsafe level.pointee != 0 {
                try unsafe Arithmetic.limit(to: String(cString: level))
            }
            try StackLimit.provide()
            try CommandName.check(Array(CommandLine.arguments.dropFirst()))
            let arguments = try FieldNames.translated(Array(CommandLine.arguments.dropFirst()))
            var command = try ApusCommand.parseAsRoot(arguments)
            try command.run()
            try StandardOutput.flush()
            Screen.shared.flush()
        } catch {
            exit(Ending(error, command: CommandName.given(Array(CommandLine.arguments.dropFirst()))).announce())
        }
    }
}

struct ApusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus",
        abstract: "Fine-tunes BERT on CPUs: over many processes and hosts, with the same bits however it runs.",
        version: Version.description,
        subcommands: [
            Train.self, Coordinate.self, Work.self, Launch.self, Evaluate.self, Predict.self, Tokenize.self,
            Verify.self, Check.self,
            Inspect.self, DataCommand.self, Convert.self, Download.self, Keygen.self, Chaos.self, Report.self,
            Runs.self, Watch.self,
        ])
}
