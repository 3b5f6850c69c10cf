internal import ArgumentParser
internal import Console
internal import Foundation
internal import Hub
internal import Kernels
internal import Processes
internal import Runs
internal import Wording

/// Parses the arguments, runs the command, and exits with its status and one line for an error.
@main
enum Main {
    static func main() {
        Arithmetic.setFloatEnvironment()
        // A closed pipe and a file over its size limit shall be errors of the write, not signals that end the program.
        for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
        let arguments = CommandLine.arguments
        let words = Array(arguments.dropFirst())
        do {
            if let level = unsafe getenv("APUS_VECTOR_LEVEL"), unsafe level.pointee != 0 {
                try unsafe Arithmetic.limit(to: String(cString: level))
            }
            // Before the token leaves the environment, which the program keeps if it is started again.
            try StackLimit.provide(arguments)
            AddressLimit.begin()
            HubToken.take()
            let invocation = Invocation(
                arguments: arguments, environment: ProcessInfo.processInfo.environment)
            try CommandName.check(words)
            var command = try ApusCommand.parseAsRoot(try FieldNames.translated(words))
            try SystemLimits.provide(.command)
            if let run = command as? any RunCommand {
                try run.trace.begin(invocation)
                try run.run(invocation)
            } else {
                try command.run()
            }
            try StandardOutput.flush()
            Screen.shared.flush()
        } catch {
            // Threads may still be at work: nothing that they use is taken down first.
            _exit(Ending(error, command: CommandName.given(words)).announce())
        }
    }
}

/// A command whose run is resumed or reproduced as it was started.
protocol RunCommand: ParsableCommand {
    var trace: TraceOptions { get }
    func run(_ invocation: Invocation) throws
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
