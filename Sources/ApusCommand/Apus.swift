internal import ArgumentParser

@main
struct ApusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "apus")
}
