internal import ArgumentParser
internal import Training

struct Coordinate: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Coordinate workers that are started elsewhere.")

    @Option(help: "Workers to wait for before the first step.")
    var workers: Int
    @Option(help: "Endpoint to listen on, such as tcp://0.0.0.0:5555. (default: a free port)")
    var endpoint: String?
    @OptionGroup var options: TrainOptions

    func validate() throws {
        guard workers >= 1 else { throw ValidationError("--workers is \(workers), needed is at least 1") }
    }

    func run() throws {
        try EntryPoints.coordinate(CoordinateOptions(workers: workers, endpoint: endpoint, configuration: options.resolved()))
    }
}
