internal import ArgumentParser
internal import Training

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show what is in a model folder, checkpoint or safetensors file.")

    @Argument(help: ArgumentHelp("Folder or file.", valueName: "path"))
    var path: String

    func run() throws { throw RunError("not built yet") }
}
