internal import Cluster
internal import Configuration
internal import Console
internal import Coordination
internal import Foundation
internal import Kernels
internal import Processes
internal import Runs
internal import Tracing
internal import Transport
internal import Wording

/// Rank 0 of a job whose processes an engine placed: Slurm, an MPI launcher, torchrun.
///
/// It starts the coordinator and its own worker as children and supervises both; the other ranks are workers. Its exit
/// status is the job's.
struct PlacedJob {
    private let options: WorkOptions
    private let configuration: TrainingConfiguration
    private let workers: Int
    private let threads: Int
    private let endpoint: CoordinatorEndpoint
    private let folder: JobFolder?
    private let invocation: Invocation

    /// - Parameters:
    ///   - meeting: where all ranks meet the coordinator.
    /// - Throws: ``BadInput``.
    init(
        _ options: WorkOptions, _ place: Place, threads: Int, meeting: MeetingPlace,
        configuration: TrainingConfiguration, invocation: Invocation
    ) throws {
        guard let workers = place.worldSize else {
            throw InputError(
                "no launcher says how many ranks there are: start apus work with srun, mpirun or torchrun, or set "
                    + "WORLD_SIZE"
            )
        }
        self.options = options
        self.workers = workers
        self.threads = threads
        folder = meeting.folder
        endpoint = try meeting.coordinatorEndpoint()
        var configuration = configuration
        configuration.threads = threads
        self.configuration = configuration
        self.invocation = invocation.resumed(by: invocation.resuming(configuration, ranks: workers))
    }

    /// - Returns: the exit status of the job.
    func run() throws -> Int32 {
        let rings = try rings()
        try SystemLimits.provide(.launch(workers: 1, threads: threads, library: configuration.blas != .own))
        Screen.shared.use(configuration.progress, sharesTerminal: true)
        let ownFolder = try PrivateFolder()
        let cleanUp: @Sendable () -> Void = { [folder] in
            ownFolder.remove()
            folder?.remove()
        }
        defer { cleanUp() }
        let file = ownFolder.path + "/config.yaml"
        try ConfigurationFile.write(configuration, to: file)
        let limit = String(Int(options.coordinatorTimeout.seconds))
        let coordinator = ChildCommand(
            executable: ownProgram(),
            arguments: [
                "coordinate", "--launched", "--rendezvous-timeout", limit, "--workers", String(workers), "--endpoint",
                endpoint.listening, "--config", file,
            ] + Trace.arguments, opening: LauncherPipe.opening(rings?.coordinator))
        let worker = ChildCommand(
            executable: ownProgram(),
            arguments: [
                "work", "--launched", "--coordinator", endpoint.reachable, "--threads", String(threads), "--rank", "0",
            ]
                + configuration.workerTimeouts
                + (options.interface.map { ["--interface", $0] } ?? []) + (options.insecure ? ["--insecure"] : [])
                + exchange + Trace.arguments,
            opening: LauncherPipe.opening(rings?.worker))
        let resumption = try Resumption(configuration, folder: ownFolder)
        var supervisor = Supervisor(
            coordinator: coordinator, resumption: { resumption.command(coordinator) }, workers: [worker],
            invocation: invocation, maxRestarts: exchange.isEmpty ? configuration.maxRestarts : 0, isPlaced: true,
            cleanUp: cleanUp)
        return supervisor.run()
    }

    /// The arguments for MPI; its world does not accept a replacement of a rank.
    private var exchange: [String] { options.exchange == .mpi ? ["--exchange", options.exchange.rawValue] : [] }

    /// Keys for the coordinator and this rank's worker; nil if links stay on this host or are plain.
    private func rings() throws -> (coordinator: KeyRing, worker: KeyRing)? {
        guard endpoint.listening.hasPrefix("tcp://"), !options.insecure else { return nil }
        guard let coordinator = try KeySource(.coordinator(workers: workers)),
            let worker = try KeySource(.worker(rank: 0))
        else {
            throw InputError(
                "the job's links use a network, which needs keys: set \(KeySource.folder) to a folder of apus keygen "
                    + "that all hosts share, set \(KeySource.secret) for all ranks, or give --insecure")
        }
        guard coordinator.file != worker.file || coordinator.file == nil else {
            throw InputError(
                "\(KeySource.file) names one key, rank 0 needs the coordinator's and a worker's: set "
                    + "\(KeySource.folder) instead"
            )
        }
        guard coordinator.ring.workers.count >= workers else {
            throw InputError(
                "\(coordinator.file ?? "the key ring") has keys for "
                    + "\(counted(coordinator.ring.workers.count, "worker")), the "
                    + "job has \(counted(workers, "rank")): create new ones "
                    + "with apus keygen --workers \(workers)")
        }
        return (coordinator.ring, worker.ring)
    }
}
