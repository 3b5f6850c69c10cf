internal import BERT
internal import Checkpoints
internal import Cluster
internal import Foundation
internal import Transport

/// A coordinator on this machine and workers on the hosts of a cluster file, started through ssh.
///
/// Every host is asked first: nothing is started unless all of them can take part.
struct ClusterLaunch {
    private let options: LaunchOptions
    private let cluster: ClusterFile

    /// - Throws: ``ClusterFileError``, ``InputError``.
    init(_ options: LaunchOptions, file: String) throws {
        guard options.workers == nil else { throw InputError("--workers is for this machine alone: set workers in \(file)") }
        self.options = options
        cluster = try ClusterFile.read(file)
    }

    /// - Returns: the exit status of the job.
    func run() throws -> Int32 {
        let endpoint = try CoordinatorEndpoint(cluster.coordinator)
        let program = ownProgram()
        let shells = cluster.hosts.map { SecureShell($0, program: program) }
        let reports = try Activity.during("asking \(shells.count) hosts whether they can take part") { _ in
            try HostProbe(shells: shells, coordinator: endpoint.reachable, shape: shape).reports()
        }
        let coreType = try commonCoreType(shells, reports)
        let folder = try PrivateFolder()
        defer { folder.remove() }
        var configuration = options.configuration
        if configuration.lanes == nil {
            configuration.lanes = LaneCount.default(cores: reports.reduce(0) { $0 + $1.cores }, batchSize: configuration.batchSize)
        }
        let file = folder.path + "/config.yaml"
        try ConfigurationFile.write(configuration, to: file)
        let rings = configuration.insecure ? nil : KeyRing.generate(workers: cluster.workers)
        let coordinator = ChildCommand(
            executable: program,
            arguments: ["coordinate", "--launched", "--workers", String(cluster.workers), "--endpoint", endpoint.listening, "--config", file]
                + (options.isBrief ? ["--brief"] : []),
            opening: LauncherPipe.opening(rings?.coordinator))
        let workers = zip(shells, reports).flatMap { shell, report in
            (0..<shell.host.workers).map { _ in (shell, threads(shell.host, cores: report.cores)) }
        }.enumerated().map { number, worker in
            let (shell, threads) = worker
            return ChildCommand(
                executable: SecureShell.executable,
                arguments: shell.arguments(workArguments(shell.host, endpoint.reachable, threads, number), coreType: coreType),
                opening: LauncherPipe.opening(rings?.workers[number]), place: " on \(shell.host.address)")
        }
        let supervisor = Supervisor(maxRestarts: configuration.maxRestarts) { folder.remove() }
        let resumption = Resumption(configuration, folder: folder)
        return try supervisor.run(coordinator: coordinator, resumption: { resumption.command(coordinator) }, workers: workers)
    }

    /// The sizes of the model; where it cannot be read, the coordinator will say so.
    private var shape: ArithmeticShape {
        let path = options.configuration.model
        guard let json = try? ModelFolder.configuration(path), let source = try? BERTConfiguration(json, path: path) else { return .standard }
        return ArithmeticShape(source.shape)
    }

    /// A core type for every process of the run, where hosts by themselves would compute other bits than this machine.
    private func commonCoreType(_ shells: [SecureShell], _ reports: [HostReport]) throws(InputError) -> String? {
        let own = HostReport(shape)
        guard let (report, shell) = zip(reports, shells).first(where: { $0.0.fingerprint != own.fingerprint }) else { return nil }
        let difference =
            "host \(shell.host.address) computes other bits than this machine (OpenBLAS for \(report.coreType) there, for \(own.coreType) here)"
        guard let common = CommonCoreType(shells: shells, shape: shape).find(own: own, reports: reports) else {
            throw InputError("\(difference), and no OPENBLAS_CORETYPE suits all hosts: install the same OpenBLAS on them")
        }
        sayToUser("\(difference): all hosts compute with \(CoreTypeChange.variable)=\(common)")
        unsafe setenv(CoreTypeChange.variable, common, 1)  // inherited by the coordinator
        return common
    }

    /// The file's threads, else what the command line gave, else the host's cores shared among its workers.
    private func threads(_ host: ClusterFile.Host, cores: Int) -> Int {
        host.threads ?? (options.threadsGiven ? options.configuration.threads : max(1, cores / host.workers))
    }

    private func workArguments(_ host: ClusterFile.Host, _ endpoint: String, _ threads: Int, _ number: Int) -> [String] {
        ["work", "--launched", "--coordinator", endpoint, "--threads", String(threads), "--rank", String(number)]
            + options.configuration.workerTimeouts
            + (host.interface.map { ["--interface", $0] } ?? []) + (options.configuration.insecure ? ["--insecure"] : [])
    }
}

extension HostProbe {
    /// The reports of all hosts, each of which can take part.
    /// - Throws: ``InputError`` naming the first that cannot.
    fileprivate func reports() throws(InputError) -> [HostReport] {
        var reports: [HostReport] = []
        for (answer, shell) in zip(ask(), shells) {
            switch answer {
            case .failure(let line): throw InputError(line)
            case .report(let report, _, _):
                if let difference = Self.difference(report, on: shell.host.address) { throw InputError(difference) }
                reports.append(report)
            }
        }
        return reports
    }
}
