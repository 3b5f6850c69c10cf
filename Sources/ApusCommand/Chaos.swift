internal import ArgumentParser
internal import Chaos

struct Chaos: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Kill, freeze, slow and restart the processes of runs at random instants; compare their bits with an "
            + "undisturbed run's.",
        usage: "apus chaos [<options>] [-- <options of apus launch>]",
        discussion: """
            Examples:
              $ apus chaos --runs 20 --workers 3
              $ apus chaos -- --model bert-base-uncased --train train.csv --max-steps 200

            Without options after `--` the job is a tiny one that needs no files. Options after `--` are those of apus \
            launch, with --cluster \
            too: `apus chaos --runs 5 -- --cluster lab.yaml --max-steps 200`. Processes on other hosts cannot be \
            reached: for workers there, chaos disturbs the ssh session, whose end ends the worker. The faults of run \
            N depend only on --seed and N: every run loses one to three workers, every third has one slowed, every \
            fifth loses the coordinator, every seventh has a worker frozen past the deadline, every eleventh the \
            coordinator. Exit status 1 if a run ends with other bits, loses or repeats a sample, hangs, or leaves a \
            process behind; the files of such a run are kept.
            """)

    @Option(parsing: .unconditional, help: ArgumentHelp("Runs to disturb.", valueName: "count"))
    var runs = 5
    @Option(parsing: .unconditional, help: ArgumentHelp("Seed of the faults and their times.", valueName: "number"))
    var seed: UInt64 = 1
    @Option(parsing: .unconditional, help: ArgumentHelp("Number of the first run.", valueName: "run"))
    var first = 1
    @Option(parsing: .unconditional, help: ArgumentHelp("Workers of each run. (default: 2 to 4)", valueName: "count"))
    var workers: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Time after which a run counts as hung. (default: by the undisturbed run)", valueName: "seconds"))
    var deadline: Int?
    @Flag(help: "Kill everything while a checkpoint is written, then go on with --resume.")
    var everything = false
    @Flag(help: "Disturb workers only.")
    var spareCoordinator = false
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Disturb the running job of this apus launch instead.", valueName: "process"))
    var launcher: Int32?
    @Argument(parsing: .postTerminator, help: ArgumentHelp("Options of apus launch for the job.", valueName: "option"))
    var job: [String] = []

    func validate() throws {
        for (name, value) in [
            ("--runs", runs), ("--first", first), ("--workers", workers ?? 1), ("--deadline", deadline ?? 1),
        ] where !(1...Int(Int32.max)).contains(value) {
            throw ValidationError("\(name) is \(value), must be 1 to \(Int32.max)")
        }
        if launcher != nil, everything || !job.isEmpty || workers != nil {
            throw ValidationError(
                "--launcher disturbs a running job: --everything, --workers and options after -- are only for jobs "
                    + "that apus chaos starts"
            )
        }
    }

    func run() throws {
        let job = Array(try FieldNames.translated(["launch"] + job).dropFirst())
        try EntryPoints.chaos(
            ChaosOptions(
                runs: runs, first: first, seed: seed, workers: workers, everything: everything,
                sparesCoordinator: spareCoordinator,
                deadline: deadline.map { .seconds($0) }, launcher: launcher, job: job)
        ) { line in
            try StandardOutput.write(line: line)
            try StandardOutput.flush()
        }
    }
}
