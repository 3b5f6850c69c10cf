internal import ArgumentParser
internal import Training

struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Fine-tune in this one process.")

    @OptionGroup var options: TrainOptions
    @Flag(help: "Check each layer's output and gradient for values that are not finite.")
    var debug = false

    func run() throws {
        try EntryPoints.train(options.resolved(), debug: debug)
    }
}
