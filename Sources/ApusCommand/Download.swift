internal import ArgumentParser
internal import Inputs

struct Download: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Download a model by name, for hosts without a network or before a run.",
        discussion: """
            Prints the model's folder. It is in the cache of Python's huggingface_hub, which finds it too; \
            --model NAME then needs no network. Examples:
              $ apus download google-bert/bert-base-uncased
              $ HF_HUB_CACHE=/shared/hub apus download google-bert/bert-base-uncased@main
            """)

    @Argument(help: ArgumentHelp("ORGANIZATION/NAME or NAME, and perhaps @REVISION.", valueName: "name"))
    var names: [String]

    func run() throws {
        for name in names {
            try StandardOutput.write(line: SourceModel.download(name))
            try StandardOutput.flush()
        }
    }
}
