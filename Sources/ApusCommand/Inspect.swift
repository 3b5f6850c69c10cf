internal import ArgumentParser

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what is in a safetensors file, a model folder, a checkpoint or a run.",
        discussion: """
            A checkpoint's files are compared with the SHA-256 in its manifest. Examples:
              $ apus inspect runs/short/model-best
              $ apus inspect runs/short
            """)

    @Argument(help: ArgumentHelp("Folder or file.", valueName: "path"))
    var path: String

    func run() throws {
        for line in try Inspection.lines(path) { try StandardOutput.write(line: line) }
    }
}
