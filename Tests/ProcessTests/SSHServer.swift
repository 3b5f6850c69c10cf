import Foundation
import Testing
import Transport

/// A real ssh server with keys of its own, for this user alone, on addresses of this machine; ended with its last user.
///
/// `apus` finds it through a program named ssh, first on the `PATH` of ``environment``, which reads this server's
/// settings.
final class SSHServer {
    let port: UInt16
    private let folder: ScratchFolder
    private let process = Process()

    /// Whether an ssh server can be started here: OpenSSH is installed, and a server that root starts gets its folder
    /// below /run.
    static let isPossible: Bool = {
        let hasPrograms = ["/usr/sbin/sshd", "/usr/bin/ssh", "/usr/bin/ssh-keygen"].allSatisfy(
            FileManager.default.isExecutableFile)
        guard hasPrograms else { return false }
        return getuid() != 0 || FileManager.default.fileExists(atPath: "/run/sshd")
            || succeeds("unshare --mount mount -t tmpfs none /run")
    }()

    /// - Parameters:
    ///   - addresses: of this machine, or of the network namespace.
    ///   - namespace: the network namespace to run in.
    init(at addresses: [String] = ["127.0.0.1"], namespace: String? = nil) throws {
        folder = try ScratchFolder()
        port = namespace == nil ? try TCPProbe.Listener(address: addresses[0], port: 0).port : 22
        for key in ["host", "user", "stranger"] {
            try Self.run("ssh-keygen -q -t ed25519 -N '' -C \(key) -f '\(folder.path)/\(key)'")
        }
        let hostKey = try String(contentsOf: folder.url("host.pub"), encoding: .utf8)
        try write("known", addresses.map { "[\($0)]:\(port) \(hostKey)" + "\($0) \(hostKey)" }.joined())
        try write("authorized", String(contentsOf: folder.url("user.pub"), encoding: .utf8))
        let listening = addresses.map { "ListenAddress \($0)\n" }.joined()
        try write(
            "sshd",
            "Port \(port)\n\(listening)HostKey \(folder.path)/host\nAuthorizedKeysFile "
                + "\(folder.path)/authorized\nPidFile none\nStrictModes no\nUsePAM no\n"
        )
        try client("user", key: "user", known: "known")
        try client("stranger", key: "stranger", known: "known")
        try client("unknown", key: "user", known: "nobody")
        try start(namespace, addresses)
    }

    private func write(_ name: String, _ text: String) throws { try Data(text.utf8).write(to: folder.url(name)) }

    /// A folder with a program ssh that uses this server's settings.
    private func client(_ name: String, key: String, known: String) throws {
        try write(
            "\(name).config",
            "IdentityFile \(folder.path)/\(key)\nIdentitiesOnly yes\nIdentityAgent none\nUserKnownHostsFile "
                + "\(folder.path)/\(known)\nGlobalKnownHostsFile none\nStrictHostKeyChecking yes\n"
        )
        let program = folder.url("as-\(name)/ssh")
        try FileManager.default.createDirectory(
            at: program.deletingLastPathComponent(), withIntermediateDirectories: false)
        try Data("#!/bin/sh\nexec /usr/bin/ssh -F '\(folder.path)/\(name).config' \"$@\"\n".utf8).write(to: program)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.path)
    }

    private func start(_ namespace: String?, _ addresses: [String]) throws {
        // A shell in between: sshd closes inherited descriptors, and Process would consider it ended.
        let server =
            "{ /usr/sbin/sshd -D -e -f '\(folder.path)/sshd' & server=$!; trap 'kill $server' TERM; wait; wait; }"
        let prepared = getuid() == 0 ? "mount -t tmpfs none /run && mkdir -m 755 /run/sshd && \(server)" : server
        let spaces =
            (namespace.map { ["ip", "netns", "exec", $0] } ?? []) + (getuid() == 0 ? ["unshare", "--mount"] : [])
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = spaces + ["sh", "-c", prepared]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        let words = Pipe()
        process.standardError = words
        try process.run()
        // It says so for each address; where it cannot, its words end.
        var text = ""
        while text.split(whereSeparator: \.isNewline).count(where: { $0.contains("Server listening on") })
            < addresses.count
        {
            let more = words.fileHandleForReading.availableData
            try #require(!more.isEmpty, "sshd did not start: \(text)")
            text += String(decoding: more, as: UTF8.self)
        }
        // Read on to their end, by a thread that keeps the file open: a handler would end with the pipe, while the
        // system still calls it.
        let rest = words.fileHandleForReading
        Thread.detachNewThread { while !rest.availableData.isEmpty {} }
    }

    deinit {
        process.terminate()
        process.waitUntilExit()
    }

    /// The environment in which ssh gets in; `as` a stranger its key is not known there, as unknown the server is not
    /// known here.
    func environment(as client: String = "user") -> [String: String] {
        [
            "PATH": folder.path + "/as-\(client):"
                + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin")
        ]
    }

    static func succeeds(_ shell: String) -> Bool { (try? ScriptRun(shell: shell))?.status == 0 }

    static func run(_ shell: String) throws {
        let run = try ScriptRun(shell: shell)
        try #require(run.status == 0, "\(shell): \(run.text)")
    }
}
