internal import Cluster
internal import Coordination
internal import Foundation
internal import Processes
internal import Transport
internal import Wording

/// The preflight of a cluster file: checks everything a run needs and reports what to fix, without changing anything.
package struct ClusterCheck {
    private let cluster: ClusterFile

    /// - Throws: ``ClusterFileError``.
    package init(file: String) throws { cluster = try ClusterFile.read(file) }

    /// Passes one line per finding to `emit`.
    /// - Returns: whether there are no errors.
    package func run(emit: (String) throws -> Void) throws -> Bool {
        var isWell = true
        func find(_ isGood: Bool, _ line: String) throws {
            isWell = isWell && isGood
            try emit((isGood ? "ok    " : "fix   ") + line)
        }
        let endpoint: CoordinatorEndpoint
        do { endpoint = try CoordinatorEndpoint(cluster.coordinator, hosts: cluster.hosts.map(\.address)) } catch {
            try find(false, error.description)
            return false
        }
        guard let place = HostAddress(endpoint: endpoint.listening), let port = UInt16(place.port) else { return false }
        // Open during the check: the endpoints that the hosts try to reach.
        let listener = try TCPProbe.Listener(address: place.host, port: port)
        let own = try HostReport(.standard)
        let here = FileManager.default.currentDirectoryPath
        let disk = HostReport.freeDisk(here)
        try find(
            disk > 1 << 30,
            "this machine: apus \(own.version), \(own.arithmeticName), \(gigabytes(disk)) free in "
                + "\(here)\(disk > 1 << 30 ? "" : ": a run keeps models and checkpoints there")"
        )
        let shells = cluster.hosts.map { SecureShell($0, program: ownProgram()) }
        var there: [(shell: SecureShell, report: HostReport, session: RemoteSession)] = []
        for (shell, answer) in zip(
            shells, HostProbe(shells: shells, coordinator: endpoint.reachable, shape: .standard).ask())
        {
            switch answer {
            case .failure(let line): try find(false, line)
            case .report(let report, let session, let offset):
                there.append((shell, report, session))
                try describe(shell, report, offset: offset, own, find)
            }
        }
        let data = there.map { (host: $0.shell.host.address, endpoint: "tcp://\($0.report.address):\($0.report.port)") }
        for (shell, _, session) in there {
            let others = data.filter { $0.host != shell.host.address }
            let targets =
                [("the coordinator's port", endpoint.reachable)]
                + others.map { ("the data links of \($0.host)", $0.endpoint) }
            try reach(targets, from: shell.host.address, session, find)
        }
        withExtendedLifetime(listener.port) {}
        return isWell
    }

    private func describe(
        _ shell: SecureShell, _ report: HostReport, offset: Double, _ own: HostReport,
        _ find: (Bool, String) throws -> Void
    ) throws {
        let host = shell.host.address
        try find(
            true,
            "\(host): ssh works; apus \(report.version), \(report.arithmeticName), \(report.cores) cores, "
                + "\(gigabytes(report.freeMemoryBytes)) memory free, \(gigabytes(report.freeDiskBytes)) disk free"
        )
        if let difference = HostProbe.difference(report, on: host, own) {
            try find(false, difference)
        } else {
            try find(true, "\(host): computes the same bits as this machine")
        }
        if report.isLedToItself {
            try find(false, CoordinatorEndpoint.unreachable(cluster.coordinator.address, from: host))
        }
        let seconds = String(format: "%+.1f", offset)
        try find(
            abs(offset) < 5,
            "\(host): clock differs by \(seconds) s\(abs(offset) < 5 ? "" : ": let both follow a time server")")
        if report.freeMemoryBytes < 1 << 30 {
            try find(false, "\(host): less than 1 GB of memory is free: end other programs there, or use fewer workers")
        }
        if report.freeDiskBytes < 100 << 20 {
            try find(false, "\(host): less than 100 MB are free in its temporary folder: make room")
        }
        let asked = shell.host.workers * (shell.host.threads ?? max(1, report.cores / shell.host.workers))
        if asked > report.cores {
            try find(
                false,
                "\(host): \(counted(asked, "thread")) on \(counted(report.cores, "core")): lower workers or threads "
                    + "in the cluster file"
            )
        }
    }

    private func reach(
        _ targets: [(what: String, endpoint: String)], from host: String, _ session: RemoteSession,
        _ find: (Bool, String) throws -> Void
    ) throws {
        session.send(targets.map(\.endpoint).joined(separator: " ") + "\n")
        let deadline = DispatchTime.now() + .seconds(5 + 4 * targets.count)
        for target in targets {
            guard case .line(let line) = session.line(before: deadline) else {
                return try find(
                    false, "\(host): went silent while it tried to reach \(target.what) at \(target.endpoint)")
            }
            let result = line.split(separator: " ", maxSplits: 1).last.map(String.init) ?? ""
            try find(
                result == "ok",
                "\(host) \(result == "ok" ? "reaches" : "does not reach") \(target.what) at \(target.endpoint)"
                    + (result == "ok" ? "" : " (\(result)): open the port in the firewall between them"))
        }
    }

    private func gigabytes(_ bytes: Int) -> String { String(format: "%.1f GB", Double(bytes) / 1e9) }
}
