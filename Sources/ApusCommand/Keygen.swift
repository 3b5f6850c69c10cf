internal import ArgumentParser
internal import Training

struct Keygen: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make keys for coordinator and workers, readable by their owner alone.")

    @Argument(help: ArgumentHelp("Folder to write the keys into.", valueName: "dir"))
    var folder: String

    func run() throws {
        try StandardOutput.write(line: EntryPoints.keygen(folder: folder))
    }
}
