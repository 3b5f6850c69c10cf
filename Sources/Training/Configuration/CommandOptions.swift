package import Kernels
package import TextData

/// What `apus launch` was asked for, apart from the training options.
package struct LaunchOptions: Equatable, Sendable {
    /// Workers on this machine; nil: see ``WorkerShares``.
    package var workers: Int?
    /// Whether `threads` was given, so that it is not cores / workers.
    package var threadsGiven: Bool
    /// One process, no sockets.
    package var single: Bool
    /// Whether each layer's output and gradient is checked for non-finite values.
    package var debug: Bool
    /// Cluster file; nil: this machine alone.
    package var cluster: String?
    /// Whether a run before this one in a series has told what the data are like.
    package var isBrief = false
    package var configuration: TrainingConfiguration

    package init(workers: Int?, threadsGiven: Bool, single: Bool, debug: Bool, cluster: String?, configuration: TrainingConfiguration) {
        self.workers = workers
        self.threadsGiven = threadsGiven
        self.single = single
        self.debug = debug
        self.cluster = cluster
        self.configuration = configuration
    }
}

/// What `apus coordinate` was asked for.
package struct CoordinateOptions: Equatable, Sendable {
    package var workers: Int
    /// Endpoint to listen on; nil: a free port, or an ipc socket in a private folder.
    package var endpoint: String?
    /// Whether `apus launch` started this process and holds its standard input.
    package var launched: Bool
    /// Time in which all workers come, or never: for those that one engine starts at once. Nil: they are waited for.
    package var rendezvousTimeout: Duration?
    /// A file that is there while workers can join; nil: none.
    package var healthFile: String?
    /// Whether a run before this one in a series has told what the data are like.
    package var isBrief = false
    package var configuration: TrainingConfiguration

    package init(
        workers: Int, endpoint: String?, launched: Bool, rendezvousTimeout: Duration?, healthFile: String?, configuration: TrainingConfiguration
    ) {
        self.workers = workers
        self.endpoint = endpoint
        self.launched = launched
        self.rendezvousTimeout = rendezvousTimeout
        self.healthFile = healthFile
        self.configuration = configuration
    }
}

/// What `apus work` was asked for.
package struct WorkOptions: Equatable, Sendable {
    /// The coordinator's endpoint; nil: the environment says.
    package var coordinator: String?
    /// Cluster file that names the coordinator's place and the hosts; nil: the environment says.
    package var cluster: String?
    package var threads: Int?
    /// The network interface for links between workers; nil: the one that leads to the coordinator.
    package var interface: String?
    #if MPI
    /// Whether gradients travel through MPI between hosts.
    package var usesMPI = false
    #endif
    /// How long to wait for the coordinator.
    package var coordinatorTimeout: Duration
    /// Silence after which the coordinator counts as lost.
    package var heartbeatTimeout: Duration
    package var insecure: Bool
    /// Whether `apus launch` started this process and holds its standard input.
    package var launched: Bool
    /// This worker's number; nil: the environment says.
    package var rank: Int?

    /// - Parameter given: training options, of which some are a worker's too.
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

/// How answers are written.
package enum AnswerFormat: String, CaseIterable, Sendable {
    case jsonl, tsv, csv
}

/// Where answers go, and what they hold beside the model's own.
package struct AnswerOptions: Equatable, Sendable {
    /// Nil: standard output.
    package var output: String?
    /// Nil: as the output's name ends, else JSON lines.
    package var format: AnswerFormat?
    /// Whether JSON lines repeat the text.
    package var withText: Bool

    package init(output: String? = nil, format: AnswerFormat? = nil, withText: Bool = false) {
        self.output = output
        self.format = format
        self.withText = withText
    }
}

/// What `apus evaluate` and `apus predict` were asked for.
package struct InferenceOptions: Equatable, Sendable {
    package var model: String
    /// A file with a header, or `-`: bare text from standard input, one a line.
    package var input: String
    /// Nil: by the input's name and first lines.
    package var inputFormat: DataFormat?
    package var textColumn: String?
    package var pairColumn: String?
    package var labelColumn: String?
    /// Nil: as the model was trained.
    package var maxLength: Int?
    package var threads: Int
    /// What multiplies matrices; nil: what this process uses already.
    package var blas: BLAS?

    package init(
        model: String, input: String, inputFormat: DataFormat? = nil, textColumn: String?, pairColumn: String?,
        labelColumn: String?, maxLength: Int?, threads: Int,
        blas: BLAS? = nil
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
    }
}

extension TrainingConfiguration {
    /// The names of the data formats, for help.
    package static var formats: String { DataFormat.allCases.map(\.rawValue).joined(separator: ", ") }
}
