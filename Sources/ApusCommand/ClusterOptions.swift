internal import ArgumentParser
internal import Configuration

/// Options for runs of several processes: when a worker counts as lost, and what happens then.
struct ClusterOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The run waits while fewer workers are connected. (default: 1)", valueName: "count"))
    var minWorkers: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Replacements for one worker within 10 minutes. (default: 3)", valueName: "count"))
    var maxRestarts: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How long a worker waits for a lost coordinator. (default: 60)", valueName: "seconds"))
    var coordinatorTimeout: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Silence after which a process counts as lost. (default: 3)", valueName: "seconds"))
    var heartbeatTimeout: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Time without progress after which a worker counts as lost, or 20 usual steps if that is longer. "
                + "(default: 30)",
            valueName: "seconds"))
    var progressTimeout: Int?
    @Flag(help: "Plain text between hosts, without keys.")
    var insecure = false

    func give(to given: inout GivenOptions) {
        given.give(.minWorkers, minWorkers)
        given.give(.maxRestarts, maxRestarts)
        given.give(.coordinatorTimeout, coordinatorTimeout)
        given.give(.heartbeatTimeout, heartbeatTimeout)
        given.give(.progressTimeout, progressTimeout)
        given.give(.insecure, insecure ? true : nil)
    }
}
