internal import Cluster
internal import Coordination
internal import Foundation
internal import Synchronization
internal import Wording

/// Queries each host of a cluster file through ssh.
struct HostProbe: Sendable {
    /// Time for one host to answer, from the start of its ssh.
    static let limit = 15

    /// A host that answered, or the line that says why it did not.
    enum Answer: Sendable {
        case report(HostReport, RemoteSession, offset: Double)
        case failure(String)
    }

    let shells: [SecureShell]
    /// The endpoint that the hosts will connect to, `tcp://HOST:PORT`.
    let coordinator: String
    /// The sizes at which fingerprints are taken.
    let shape: ArithmeticShape

    /// Asks all hosts at once; the sessions of those that answer stay open.
    func ask() -> [Answer] {
        let answers = Mutex<[Answer?]>(shells.map { _ in nil })
        let group = DispatchGroup()
        for (place, shell) in shells.enumerated() {
            group.enter()
            Thread {
                let answer = ask(shell)
                answers.withLock { $0[place] = answer }
                group.leave()
            }.start()
        }
        group.wait()
        return answers.withLock { $0.compactMap { $0 } }
    }

    private func ask(_ shell: SecureShell) -> Answer {
        let deadline = DispatchTime.now() + .seconds(Self.limit)
        let interface = shell.host.interface.map { ["--interface", $0] } ?? []
        let session: RemoteSession
        do {
            session = try RemoteSession(
                executable: SecureShell.executable,
                arguments: shell.arguments(
                    ["check", "--local", "--coordinator", coordinator, "--shape", shape.text] + interface))
        } catch {
            return .failure("\(error.description): a cluster file requires ssh")
        }
        switch session.line(before: deadline) {
        case .line(let line):
            let now = Date().timeIntervalSince1970
            if let report = try? JSONDecoder().decode(HostReport.self, from: Data(line.utf8)) {
                return .report(report, session, offset: report.clock - now)
            }
            return .failure(
                "host \(shell.host.address) runs a different program or version (\(Build.version)): install the same "
                    + "build there"
            )
        case .end:
            guard let (status, words) = session.end(before: deadline) else { return .failure(shell.timeoutFailure) }
            return .failure(shell.failure(status: status, words: words))
        case .tooLate:
            return .failure(shell.timeoutFailure)
        }
    }

    /// Why a host cannot work with this machine; nil if it can.
    static func difference(_ report: HostReport, on host: String, _ own: HostReport) -> String? {
        guard report.version == own.version else {
            return "host \(host) runs apus \(report.version), this is \(own.version): install the same build there"
        }
        let (spoken, known) = (report.protocols ?? .unnamed, own.protocols ?? .unnamed)
        guard spoken == known else {
            return "host \(host) speaks \(spoken), this machine \(known): install the same build there"
        }
        return ArithmeticDifference(
            there: (report.arithmetic, report.arithmeticName, report.fingerprint),
            here: (own.arithmetic, own.arithmeticName, own.fingerprint)
        ).map { "host \(host) \($0.description)" }
    }
}
