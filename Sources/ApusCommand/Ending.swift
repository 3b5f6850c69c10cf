internal import ArgumentParser
internal import Console
internal import Foundation
internal import Wording

/// How a command ended when it did not succeed: its exit status and its message.
///
/// 0: help or version was asked for; 1: the run failed; 2: bad usage or bad input; 128 + n: stopped by signal n.
struct Ending: Equatable {
    let status: Int32
    /// For standard output.
    let answer: String
    /// For standard error, one line.
    let complaint: String

    /// `command` is the first word of the command line; on wrong usage the message names its help.
    init(_ error: any Error, command: String? = nil) {
        switch error {
        case let stop as SignalStop: self.init(status: 128 + stop.signal, complaint: stop.description)
        case let input as any BadInput: self.init(status: 2, complaint: input.description)
        case let child as ChildStatus: self.init(status: child.status)
        case let run as RunError: self.init(status: 1, complaint: run.description)
        case is StandardOutput.ReaderGone: self.init(status: 0)
        default:
            switch ApusCommand.exitCode(for: error) {
            case .success:
                let answer = ApusCommand.fullMessage(for: error)
                self.init(status: 0, answer: OptionExamples.added(to: answer, of: command ?? ""))
            case .validationFailure:
                self.init(status: 2, complaint: Self.usage(ApusCommand.message(for: error), command))
            default: self.init(status: 1, complaint: String(describing: error))
            }
        }
    }

    private init(status: Int32, answer: String = "", complaint: String = "") {
        self.status = status
        self.answer = answer
        self.complaint = complaint
    }

    /// Writes the message; returns the exit status.
    func announce() -> Int32 {
        try? StandardOutput.flush()  // keep the output from before the failure
        if !answer.isEmpty {
            try? StandardOutput.write(line: answer)
            try? StandardOutput.flush()
        }
        // If nothing can be written, the exit status is all that is left.
        if !complaint.isEmpty { Screen.shared.say("apus: \(Self.oneLine(complaint))", on: .errors) }
        Screen.shared.flush()
        return status
    }

    private static func usage(_ message: String, _ command: String?) -> String {
        let known = ApusCommand.configuration.subcommands.map { $0._commandName }
        let help = command.flatMap { known.contains($0) ? "apus help \($0)" : nil } ?? "apus help"
        let hint = StrayArgument.hint(message, command).map { ": \($0)" } ?? ""
        let line = oneLine(message) + hint  // some end in a question: "Did you mean '--epochs'?"
        return "\(line)\(line.hasSuffix("?") || line.hasSuffix(".") ? "" : ":") see '\(help)'"
    }

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: " ")
    }
}
