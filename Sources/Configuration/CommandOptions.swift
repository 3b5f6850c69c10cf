package import Kernels
package import TextData

/// The options of `apus launch`, except the training options.
package struct LaunchOptions: Equatable, Sendable {
    /// Workers on this machine; nil: see ``WorkerShares``.
    package var workers: Int?
    /// Whether `threads` was given, so that it is not cores / workers.
    package var threadsGiven: Bool
    /// One process, no sockets.
    package var single: Bool
    /// Whether each layer's output and gradient is checked for non-finite values.
    package var debug: Bool
    /// Cluster file; nil: only this machine.
    package var cluster: String?
    /// Whether an earlier run of a series has already described the data.
    package var isBrief = false
    /// Whether to serve a live page of the run.
    package var dashboard = false
    package var configuration: TrainingConfiguration

    package init(
        workers: Int?, threadsGiven: Bool, single: Bool, debug: Bool, cluster: String?,
        configuration: TrainingConfiguration
    ) {
        self.workers = workers
        self.threadsGiven = threadsGiven
        self.single = single
        self.debug = debug
        self.cluster = cluster
        self.configuration = configuration
    }
}

/// The options of `apus coordinate`.
package struct CoordinateOptions: Equatable, Sendable {
    package var workers: Int
    /// Endpoint to listen on; nil: a free port, or an ipc socket in a private folder.
    package var endpoint: String?
    /// Whether `apus launch` started this process and holds its standard input.
    package var launched: Bool
    /// Deadline for all workers, for an engine that starts them together. Nil: no limit.
    package var rendezvousTimeout: Duration?
    /// A file that exists while workers can join; nil: none.
    package var healthFile: String?
    /// Whether an earlier run of a series has already described the data.
    package var isBrief = false
    package var configuration: TrainingConfiguration

    package init(
        workers: Int, endpoint: String?, launched: Bool, rendezvousTimeout: Duration?, healthFile: String?,
        configuration: TrainingConfiguration
    ) {
        self.workers = workers
        self.endpoint = endpoint
        self.launched = launched
        self.rendezvousTimeout = rendezvousTimeout
        self.healthFile = healthFile
        self.configuration = configuration
    }
}

/// What carries gradients between the workers of different hosts.
package enum Exchange: String, CaseIterable, Sendable {
    case links
    /// The site's MPI, in a build that has it.
    case mpi
}

/// The options of `apus work`.
package struct WorkOptions: Equatable, Sendable {
    /// The coordinator's endpoint; nil: from the environment.
    package var coordinator: String?
    /// Cluster file that names the coordinator's endpoint and the hosts; nil: from the environment.
    package var cluster: String?
    package var threads: Int?
    /// The network interface for links between workers; nil: that of the route to the coordinator.
    package var interface: String?
    package var exchange = Exchange.links
    /// How long to wait for the coordinator.
    package var coordinatorTimeout: Duration
    /// Silence after which the coordinator counts as lost.
    package var heartbeatTimeout: Duration
    package var insecure: Bool
    /// Whether `apus launch` started this process and holds its standard input.
    package var launched: Bool
    /// This worker's number; nil: from the environment.
    package var rank: Int?

    /// - Parameter given: training options, of which some apply to a worker, too.
    package init(
        coordinator: String?, cluster: String?, interface: String?, launched: Bool, rank: Int?, given: GivenOptions
    ) throws(ConfigurationError) {
        var shared = TrainingConfiguration(model: "", train: "", output: "", threads: 1)
        try shared.apply(given)
        try shared.validateWorker()
        self.coordinator = coordinator
        self.cluster = cluster
        threads = given[.threads] == nil ? nil : shared.threads
        self.interface = interface
        coordinatorTimeout = .seconds(shared.coordinatorTimeout)
        heartbeatTimeout = .seconds(shared.heartbeatTimeout)
        insecure = shared.insecure
        self.launched = launched
        self.rank = rank
    }
}

/// The format of answers.
package enum AnswerFormat: String, CaseIterable, Sendable {
    case jsonl, tsv, csv
}

/// The destination of answers, and what they contain in addition.
package struct AnswerOptions: Equatable, Sendable {
    /// Nil: standard output.
    package var output: String?
    /// Nil: by the output's suffix, else JSON lines.
    package var format: AnswerFormat?
    /// Whether JSON lines repeat the text.
    package var withText: Bool

    package init(output: String? = nil, format: AnswerFormat? = nil, withText: Bool = false) {
        self.output = output
        self.format = format
        self.withText = withText
    }
}

/// The options of `apus evaluate` and `apus predict`.
package struct InferenceOptions: Equatable, Sendable {
    package var model: String
    /// A file with a header, or `-` for standard input.
    package var input: String
    /// The input in messages.
    package var inputName: String { input == "-" ? "standard input" : input }
    /// Nil: detected from the input's name and first lines; standard input is one text per line.
    package var inputFormat: DataFormat?
    package var textColumn: String?
    package var pairColumn: String?
    package var labelColumn: String?
    /// Nil: as the model was trained.
    package var maxLength: Int?
    package var threads: Int
    /// The provider of matrix products; nil: the one that this process already uses.
    package var blas: BLAS?
    package var precision: Precision

    package init(
        model: String, input: String, inputFormat: DataFormat? = nil, textColumn: String?, pairColumn: String?,
        labelColumn: String?, maxLength: Int?, threads: Int,
        blas: BLAS? = nil, precision: Precision = .float32
    ) {
        self.model = model
        self.input = input
        self.inputFormat = inputFormat
        self.textColumn = textColumn
        self.pairColumn = pairColumn
        self.labelColumn = labelColumn
        self.maxLength = maxLength
        self.threads = threads
        self.blas = blas
        self.precision = precision
    }
}

extension TrainingConfiguration {
    /// The names of the data formats, for help.
    package static var formats: String { DataFormat.allCases.map(\.rawValue).joined(separator: ", ") }
}
