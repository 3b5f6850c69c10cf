internal import ArgumentParser
internal import Runs

struct Train: RunCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fine-tune in this process.",
        discussion: """
            apus launch takes the same options and trains on all cores. Examples:
              $ apus train --max-steps 20 --output runs/short
              $ apus train --model bert-base-uncased --train train.csv --validation dev.csv
            """)

    @OptionGroup var trace: TraceOptions
    @OptionGroup var options: TrainOptions
    @Flag(help: "Check each layer's output and gradient for non-finite values.")
    var debug = false

    @Flag(help: "Print what would be trained, with memory and time measured over three steps; write nothing.")
    var dryRun = false

    @Flag(help: "Serve a live page of the run and print its address.")
    var dashboard = false

    func validate() throws {
        try options.needOneProcess("apus train")
        if dryRun, dashboard { throw ValidationError("--dry-run has no run to show: leave --dashboard out") }
    }

    func run(_ invocation: Invocation) throws {
        guard !dryRun else {
            for line in try EntryPoints.dryRun(options.resolved()) { try StandardOutput.write(line: line) }
            return
        }
        try EntryPoints.train(options.resolved(), invocation, debug: debug, dashboard: dashboard)
    }
}
