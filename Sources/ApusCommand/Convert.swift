internal import ArgumentParser
internal import Launching
internal import Wording

struct Convert: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write pytorch_model.bin as safetensors, without running what is in it.",
        discussion: """
            Reads files of torch.save: tensors, dictionaries, texts and numbers; anything else in them is refused by \
            its name. The reader is a process of its own with limits on memory and time. Examples:
              $ apus convert models/old models/new
              $ apus convert weights.bin weights.safetensors
            """)

    @Argument(
        help: ArgumentHelp("Model folder with pytorch_model.bin or its shards, or one such file.", valueName: "in"))
    var input: String
    @Argument(help: ArgumentHelp("New folder, or new file .safetensors.", valueName: "out"))
    var output: String
    @Flag(help: .hidden)
    var limited = false

    func run() throws {
        let line = limited ? try Conversion.runLimited(input, to: output) : try Conversion.run(input, to: output)
        try StandardOutput.write(line: line)
    }
}
