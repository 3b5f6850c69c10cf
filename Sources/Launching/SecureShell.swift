internal import Cluster
internal import Foundation
internal import Runs

/// How `apus` is started on a host of a cluster file: through the user's own ssh, which must log in without prompts.
struct SecureShell: Sendable {
    let host: ClusterFile.Host
    private let program: String

    /// - Parameter program: path of `apus` if the file names none.
    init(_ host: ClusterFile.Host, program: String) {
        self.host = host
        self.program = host.binary ?? program
    }

    static let executable = "/usr/bin/env"

    /// Arguments of ``executable`` that run `apus` there.
    func arguments(_ command: [String]) -> [String] {
        let words = ["exec"] + ([program] + command).map(shellQuoted)
        var options = [
            "BatchMode=yes", "ConnectTimeout=8", "ServerAliveInterval=5", "ServerAliveCountMax=3", "ControlPath=none",
            "LogLevel=ERROR",
        ]
        .flatMap { ["-o", $0] }
        if let port = host.sshPort { options += ["-p", String(port)] }
        return ["ssh", "-axT"] + options + [
            host.user.map { "\($0)@\(host.address)" } ?? host.address, words.joined(separator: " "),
        ]
    }

    /// Why `apus` does not run there, from ssh's exit status and output; one line.
    func failure(status: Int32, words: String) -> String {
        let line = words.split(whereSeparator: \.isNewline).last.map(String.init) ?? "no reason given"
        let login = "ssh \(host.sshPort.map { "-p \($0) " } ?? "")\(host.user.map { "\($0)@" } ?? "")\(host.address)"
        return switch status {
        case 255 where words.contains("Permission denied"):
            "host \(host.address) does not let this user in (\(line)): put your ssh key there and try \(login)"
        case 255 where words.contains("Host key verification failed") || words.contains("IDENTIFICATION HAS CHANGED"):
            "host \(host.address) presents an unknown ssh key: log in once with \(login) and compare it"
        case 255 where words.isEmpty, 132:
            "host \(host.address): \(program) ended abruptly: is it built for its processor? Run it there manually "
                + "with --version"
        case 255: "host \(host.address) cannot be reached by ssh (\(line)): is it on, and does \(login) work?"
        case 126, 127:
            "host \(host.address) has no program \(program) (\(line)): build it there, or set binary in the cluster "
                + "file"
        default:
            "host \(host.address): \(program) ended with status \(status) (\(line)): run it there manually with "
                + "--version"
        }
    }

    var timeoutFailure: String {
        "host \(host.address) did not answer in time: is it on, and does ssh log in without prompts?"
    }
}
