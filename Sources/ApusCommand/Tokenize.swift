internal import ArgumentParser
internal import Training

struct Tokenize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Turn texts into token ids.",
        discussion: """
            Reads JSON lines {"text", "pair", "max_length", "lowercase"} from standard input, all but "text" optional, and writes a line \
            {"ids", "types"} for each.
            """)

    @Option(help: ArgumentHelp("Folder of the model whose vocabulary is used.", valueName: "dir"))
    var model: String

    func run() throws { throw RunError("not built yet") }
}
