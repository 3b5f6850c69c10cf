internal import Cluster
package import Configuration
internal import Console
internal import Coordination
internal import Foundation
internal import Inputs
internal import Kernels
internal import Processes
package import Runs
internal import Wording

/// A process of `apus work`, from its environment to its end: a worker, or rank 0 of an engine's job.
package struct WorkerStart {
    private let options: WorkOptions
    private let place: Place
    private let cluster: ClusterFile?
    private let training: TrainingRequest
    private let invocation: Invocation

    /// - Throws: ``BadInput``.
    package init(_ options: WorkOptions, training: TrainingRequest, _ invocation: Invocation) throws {
        var place = try Place(environment: invocation.environment)
        var options = options
        if let given = options.coordinator { options.coordinator = try EndpointText.read(given) }
        cluster = try options.cluster.map(ClusterFile.read)
        if let cluster {
            guard options.coordinator == nil else {
                throw InputError("--coordinator and --cluster both name the coordinator: leave one out")
            }
            if let size = place.worldSize, size != cluster.workers {
                throw InputError(
                    "the launcher started \(counted(size, "rank")), \(options.cluster ?? "") has "
                        + "\(counted(cluster.workers, "worker")): make the two equal, for example with "
                        + "-np \(cluster.workers)")
            }
            place.starter = place.worldSize == nil ? .somebodyElse : .rankZero
        }
        if options.coordinator != nil { place.starter = .somebodyElse }
        if place.starter == .somebodyElse, let flag = training.coordinatorsFlags.first {
            throw InputError(
                "\(flag) is for the coordinator, which is started separately: give it there, to apus coordinate")
        }
        if training.coordinatorsFlags.contains("--seeds") {
            throw InputError(
                "--seeds makes several runs, an engine's job is one run: give --seed and one job per seed, such as "
                    + "with sbatch --array"
            )
        }
        options.threads = options.threads ?? place.threads
        self.options = options
        self.place = place
        self.training = training
        self.invocation = invocation
    }

    package func run() throws {
        if let known = options.coordinator
            ?? (place.starter == .somebodyElse && cluster == nil ? place.coordinator : nil)
        {
            return try work(known)
        }
        let meeting = try MeetingPlace(place, cluster: cluster)
        if place.startsCoordinator(isToldToTrain: !training.coordinatorsFlags.isEmpty) {
            let job = try PlacedJob(
                options, place, threads: threads, meeting: meeting,
                configuration: training.configuration().withModelFolder(), invocation: invocation)
            let status = try job.run()
            if status != 0 { throw ChildStatus(status: status) }
        } else {
            if place.starter != .somebodyElse { try training.checkWithoutFiles() }
            try work(meeting.endpoint)
        }
    }

    private func work(_ endpoint: String) throws {
        if !options.launched {
            for doubt in [ProcessorCount.doubt(threads: threads), Arithmetic.doubt].compactMap({ $0 }) {
                sayToUser(doubt)
            }
        }
        try SystemLimits.provide(.worker(peers: place.worldSize ?? 1, threads: threads))
        let ring = options.launched ? try LauncherPipe.readOpening() : nil
        // The coordinator dismisses workers; they ignore a terminal's Ctrl-C and an engine's signals to the whole job.
        signal(SIGINT, SIG_IGN)
        if place.rank != nil, place.worldSize != nil, options.launched || place.starter != .somebodyElse {
            signal(SIGTERM, SIG_IGN)
        }
        if options.launched { LauncherPipe.follow(LaunchedProcess(.worker)) }
        let security = try ClusterSecurity.worker(
            of: endpoint, rank: place.rank, handedOver: ring, insecure: options.insecure)
        if security.keys == nil, endpoint.hasPrefix("tcp://") { sayToUser(ClusterSecurity.insecureNotice) }
        let run = try WorkerRun(endpoint: endpoint, place: place, threads: threads, security: security, options)
        try waitFor { try await run.run() }
    }

    /// As requested, else the engine's, else this process's share of the host's processors.
    private var threads: Int { options.threads ?? ProcessorCount.share(of: place.localSize ?? 1) }
}
