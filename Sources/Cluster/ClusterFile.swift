internal import Files
internal import Foundation
internal import Wording
internal import Yams

/// The hosts of a run, as listed in a YAML file.
///
/// Keys: `coordinator: {address, port}`; `defaults` and each entry of `hosts`: `workers`, `threads`, `user`,
/// `ssh_port`, `binary`, `interface`; an entry of `hosts` also its `address`. `hostfile` names a ``HostFile`` whose
/// hosts follow those of `hosts`.
package struct ClusterFile: Equatable, Sendable {
    /// Where the coordinator listens.
    package struct Coordinator: Equatable, Sendable {
        package var address: String
        /// Nil for a free port.
        package var port: UInt16?

        package init(address: String, port: UInt16?) {
            self.address = address
            self.port = port
        }
    }

    /// A host, its workers, and how ssh reaches it.
    package struct Host: Equatable, Sendable {
        package var address: String
        package var workers = 1
        /// Threads of each worker; nil for the host's cores shared among its workers.
        package var threads: Int?
        /// The user to log in as; nil for ssh's own choice.
        package var user: String?
        /// Nil for ssh's own choice.
        package var sshPort: UInt16?
        /// The program's path on that host; nil for the launcher's own.
        package var binary: String?
        /// The network interface whose address the other workers connect to; nil for that of the route to the
        /// coordinator.
        package var interface: String?
    }

    package var coordinator: Coordinator
    package var hosts: [Host]

    /// Most workers of a run: as many processes as a coordinator listens to.
    package static let mostWorkers = PeerTable.limit

    package var workers: Int { hosts.reduce(0) { $0 + $1.workers } }

    /// Reads and checks the file at `path`.
    package static func read(_ path: String) throws(ClusterFileError) -> ClusterFile {
        guard let text = try contents(path) else {
            throw ClusterFileError(
                file: path, line: nil, problem: "it cannot be read",
                remedy: "give the path of a cluster file, such as those in cluster/")
        }
        return try parse(text, file: path)
    }

    /// A longer file is not read.
    private static let longest = 4 << 20

    /// The text of a file; nil if it cannot be read.
    private static func contents(_ path: String) throws(ClusterFileError) -> String? {
        guard let data = SystemFile.contents(path, most: longest) else { return nil }
        guard data.count <= longest else {
            throw ClusterFileError(
                file: path, line: nil, problem: "it has more than \(longest >> 20) MiB",
                remedy: "name a file with a few lines for each host")
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// Checks `text`, which errors call `file`; a hostfile is looked up next to `file`.
    package static func parse(_ text: String, file: String) throws(ClusterFileError) -> ClusterFile {
        let aliases = YAMLAliases.count(in: text)
        guard aliases <= YAMLAliases.most else {
            throw ClusterFileError(
                file: file, line: nil, problem: "it has \(aliases) aliases (*name)",
                remedy: "use \(YAMLAliases.most) at most, such as by settings in defaults")
        }
        let root: Node?
        do { root = try Yams.compose(yaml: text) } catch { throw ClusterFileError(file: file, yaml: error) }
        guard let root else {
            throw ClusterFileError(
                file: file, line: nil, problem: "it is empty",
                remedy: "name a coordinator and hosts, as in cluster/README.md")
        }
        let top = try ClusterSection(
            root, named: "the file", keys: ["coordinator", "defaults", "hosts", "hostfile"], file: file)
        let place = try top.section("coordinator", keys: ["address", "port"])
        let coordinator = Coordinator(address: try place.requiredAddress(), port: try place.port("port"))
        let settings = ["workers", "threads", "user", "ssh_port", "binary", "interface"]
        var defaults = Host(address: "")
        if top.has("defaults") { try top.section("defaults", keys: settings).override(&defaults) }
        var hosts: [Host] = []
        let listed = try top.has("hosts") || !top.has("hostfile") ? top.list("hosts", keys: ["address"] + settings) : []
        for section in listed {
            var host = defaults
            host.address = try section.requiredAddress()
            try section.override(&host)
            guard !hosts.contains(where: { $0.address == host.address && $0.sshPort == host.sshPort }) else {
                throw section.error(
                    "address", "the host \(host.address) is listed twice", "list it once, with workers: set to the sum")
            }
            hosts.append(host)
        }
        for entry in try included(top, file: file) {
            guard !hosts.contains(where: { $0.address == entry.address }) else {
                throw top.error(
                    "hostfile", "the host \(entry.address) is listed in hosts and in the hostfile",
                    "leave it out of one of them")
            }
            var host = defaults
            host.address = entry.address
            host.workers = entry.slots
            hosts.append(host)
        }
        let cluster = ClusterFile(coordinator: coordinator, hosts: hosts)
        guard cluster.workers <= mostWorkers else {
            throw top.error(
                "hosts", "it has \(cluster.workers) workers", "have \(mostWorkers) at most, with more threads each")
        }
        return cluster
    }

    /// The hosts of the hostfile that the section names.
    private static func included(_ top: ClusterSection, file: String) throws(ClusterFileError) -> [HostFile.Entry] {
        guard let name = try top.text("hostfile") else { return [] }
        let path = URL(fileURLWithPath: name, relativeTo: URL(fileURLWithPath: file).deletingLastPathComponent()).path
        guard let text = try contents(path) else {
            throw top.error(
                "hostfile", "the hostfile \(path) cannot be read", "give its path, from the folder of this file")
        }
        return try HostFile.parse(text, file: name)
    }
}

/// An error in a cluster file: one line with file, key and remedy.
package struct ClusterFileError: BadInput, Equatable, CustomStringConvertible {
    package let description: String

    init(file: String, line: Int?, problem: String, remedy: String) {
        let text = "\(file)\(line.map { ":\($0)" } ?? ""): \(problem): \(remedy)"
        // A key or a value may contain line breaks.
        description = text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    init(file: String, yaml error: any Error) {
        let (line, problem): (Int?, String) =
            switch error as? YamlError {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                (mark.line, problem)
            case .duplicatedKeysInMapping(let keys, let context):
                (context.mark.line, "the key \(keys.joined(separator: ", ")) occurs twice")
            default: (nil, "unreadable")
            }
        self.init(
            file: file, line: line, problem: "it is not YAML (\(problem))",
            remedy: "fix that line; examples are in cluster/README.md")
    }
}
