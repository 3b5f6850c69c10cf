internal import ArgumentParser
internal import Watching

struct Watch: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follow a run in the terminal, or serve its page live.",
        discussion: """
            It only reads the run's folder; the run does not notice. The page is for whoever has its address, which \
            holds a random token. From another machine: ssh -L 8080:127.0.0.1:8080 HOST. Examples:
              apus watch runs/first
              apus watch --serve runs/first
              apus watch --serve runs/first --address 8080
            """)

    @Argument(help: ArgumentHelp("Output folder of a run, or of a series of seeds.", valueName: "run"))
    var folder: String
    @Flag(help: "Serve the report's page, which goes on with the run.")
    var serve = false
    @Option(
        help: ArgumentHelp(
            "Where to serve: HOST:PORT, or a port of 127.0.0.1. (default: a free port of 127.0.0.1)",
            valueName: "address"))
    var address: String?
    @Flag(help: "Leave out the texts of the data.")
    var noTexts = false
    @Flag(help: .hidden)
    var startedByRun = false

    func validate() throws {
        if !serve, address != nil { throw ValidationError("--address is where --serve serves: add --serve") }
        if !serve, noTexts { throw ValidationError("--no-texts is for the page of --serve: add --serve") }
    }

    func run() throws {
        let options = WatchOptions(
            run: folder, address: address, withTexts: !noTexts, isStartedByRun: startedByRun)
        if serve { try EntryPoints.serve(options) } else { try EntryPoints.watch(options) }
    }
}
