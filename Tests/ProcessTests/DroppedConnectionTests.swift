import Foundation
import Testing
import Transport

/// Connections drop while the processes at both ends live: no state gets another step's name, no sample counts twice.
@Suite struct DroppedConnectionTests {
    private static let options = [
        "--batch-size", "8", "--lanes", "4", "--learning-rate", "1e-3", "--epochs", "1000000",
    ]

    /// The control connections go through a proxy, the data links directly.
    @Test(arguments: [1, 2])
    func `control connections that a proxy resets again and again change no bit`(workers: Int) throws {
        let job = try SmallJob()
        let port = try TCPProbe.Listener(address: "127.0.0.1", port: 0).port
        let run = try RunningApus(
            ["coordinate", "--insecure", "--workers", "\(workers)", "--endpoint", "tcp://127.0.0.1:\(port)"]
                + job.command("run", Self.options).dropFirst())
        try run.waitForPort(port)
        let proxies = try (0..<workers).map { _ in try DroppingProxy(before: port) }
        let helpers = try proxies.map {
            try RunningApus(["work", "--insecure", "--threads", "1", "--coordinator", "tcp://127.0.0.1:\($0.port)"])
        }
        try run.waitForEpoch()
        var dropped = 0
        for round in 0..<6 {
            for proxy in proxies where round % 3 != 2 || proxy === proxies[0] { dropped += try proxy.drop() }
            // Every second time the next drop finds the generation as it forms.
            if round % 2 == 1 { try run.waitForEpoch() }
        }
        #expect(dropped > 0)
        try run.waitForEpoch()
        try job.expectUndisturbed(run, "run")
        for helper in helpers { #expect(helper.end().status == 0) }
        let journal = try job.text("run/log.txt")
        #expect(!journal.contains("MORE THAN ONCE"))
    }

    enum Links: CaseIterable { case control, data, all }

    @Test(
        .enabled(if: ProcessMemory.isAllowed, "cutting another process's connections needs leave to trace it"),
        arguments: Links.allCases)
    func `connections of living processes that are cut from outside change no bit`(links: Links) throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 2)
        try run.waitForEpoch()
        var cut = 0
        for round in 0..<6 {
            let victim =
                round == 5 ? job.coordinators.last : job.workers.isEmpty ? nil : job.workers[round % job.workers.count]
            guard let victim else { continue }
            cut += ProcessConnections.cut(of: victim) { connection in
                let isControl = [connection.local, connection.peer].contains {
                    if case .path(let path) = $0 { path.hasSuffix("/control") } else { false }
                }
                return switch links {
                case .control: isControl
                case .data: !isControl
                case .all: true
                }
            }
            if round % 2 == 1 { try run.waitForEpoch() }
        }
        #expect(cut > 0)
        try run.waitForEpoch()
        let journal = String(decoding: try job.bytes("run/journal"), as: UTF8.self)
        #expect(journal.contains("\"formed\""), "it says what the newest generation began with")
        try job.expectUndisturbed(run, "run")
    }
}
