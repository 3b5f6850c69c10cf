internal import BERT
internal import Checkpoints
internal import Cluster
package import Configuration
internal import Console
internal import Coordination
internal import Foundation
internal import Processes
package import Runs
internal import Tracing
internal import Transport
internal import Wording

/// A coordinator on this machine and workers on the hosts of a cluster file, started through ssh.
///
/// Every host is checked first: nothing is started unless all of them can take part.
package struct ClusterLaunch {
    private let options: LaunchOptions
    private let invocation: Invocation
    private let cluster: ClusterFile

    /// - Throws: ``ClusterFileError``, ``InputError``.
    package init(_ options: LaunchOptions, _ invocation: Invocation, file: String) throws {
        guard options.workers == nil else {
            throw InputError("--workers is only for this machine: set workers in \(file)")
        }
        self.options = options
        self.invocation = invocation
        cluster = try ClusterFile.read(file)
    }

    /// - Returns: the exit status of the job.
    package func run() throws -> Int32 {
        let endpoint = try CoordinatorEndpoint(cluster.coordinator, hosts: cluster.hosts.map(\.address))
        try SystemLimits.provide(.remoteLaunch(workers: cluster.workers, threads: options.configuration.threads))
        let program = ownProgram()
        let shells = cluster.hosts.map { SecureShell($0, program: program) }
        let own = try HostReport(shape)
        let reports = try Activity.during("asking \(counted(shells.count, "host")) whether they can take part") { _ in
            try HostProbe(shells: shells, coordinator: endpoint.reachable, shape: shape)
                .reports(own, coordinator: cluster.coordinator.address)
        }
        let folder = try PrivateFolder()
        defer { folder.remove() }
        let configuration = options.configuration
        let file = folder.path + "/config.yaml"
        try ConfigurationFile.write(configuration, to: file)
        let rings = configuration.insecure ? nil : KeyRing.generate(workers: cluster.workers)
        let coordinator = ChildCommand(
            executable: program,
            arguments: [
                "coordinate", "--launched", "--workers", String(cluster.workers), "--endpoint", endpoint.listening,
                "--config", file,
            ]
                + (options.isBrief ? ["--brief"] : []) + Trace.arguments,
            opening: LauncherPipe.opening(rings?.coordinator))
        let workers = zip(shells, reports).flatMap { shell, report in
            (0..<shell.host.workers).map { _ in (shell, threads(shell.host, cores: report.cores)) }
        }.enumerated().map { number, worker in
            let (shell, threads) = worker
            return ChildCommand(
                executable: SecureShell.executable,
                arguments: shell.arguments(workArguments(shell.host, endpoint.reachable, threads, number)),
                opening: LauncherPipe.opening(rings?.workers[number]), place: " on \(shell.host.address)")
        }
        let resumption = try Resumption(configuration, folder: folder)
        var supervisor = Supervisor(
            coordinator: coordinator, resumption: { resumption.command(coordinator) }, workers: workers,
            invocation: invocation, maxRestarts: configuration.maxRestarts
        ) { folder.remove() }
        return supervisor.run()
    }

    /// The sizes of the model; if it cannot be read, the coordinator will report it.
    private var shape: ArithmeticShape {
        let path = options.configuration.model
        guard let json = try? ModelFolder.configuration(path), let source = try? BERTConfiguration(json, path: path)
        else { return .standard }
        return ArithmeticShape(
            source.shape, blas: options.configuration.blas, precision: options.configuration.precision)
    }

    /// The file's threads, else those of the command line, else the host's cores shared among its workers.
    private func threads(_ host: ClusterFile.Host, cores: Int) -> Int {
        host.threads ?? (options.threadsGiven ? options.configuration.threads : max(1, cores / host.workers))
    }

    private func workArguments(_ host: ClusterFile.Host, _ endpoint: String, _ threads: Int, _ number: Int) -> [String]
    {
        ["work", "--launched", "--coordinator", endpoint, "--threads", String(threads), "--rank", String(number)]
            + options.configuration.workerTimeouts
            + (host.interface.map { ["--interface", $0] } ?? [])
            + (options.configuration.insecure ? ["--insecure"] : []) + Trace.arguments
    }
}

extension HostProbe {
    /// The reports of all hosts, each of which can take part.
    /// - Throws: ``InputError`` naming the first that cannot.
    fileprivate func reports(_ own: HostReport, coordinator: String) throws(InputError) -> [HostReport] {
        var reports: [HostReport] = []
        for (answer, shell) in zip(ask(), shells) {
            switch answer {
            case .failure(let line): throw InputError(line)
            case .report(let report, _, _):
                if let difference = Self.difference(report, on: shell.host.address, own) {
                    throw InputError(difference)
                }
                if report.isLedToItself {
                    throw InputError(CoordinatorEndpoint.unreachable(coordinator, from: shell.host.address))
                }
                reports.append(report)
            }
        }
        return reports
    }
}
