import Foundation
import Testing

/// What a run shows on terminals of several sizes and in a pipe; the screens are kept in Tests/Fixtures/screens.
@Suite struct RunScreenTests {
    private static let options = ["--epochs", "2", "--batch-size", "8", "--lanes", "2", "--threads", "1"]

    /// A recorded screen: without parts that differ between runs or machines.
    private func kept(_ text: String, _ job: SmallJob) -> String {
        text.replacing(job.folder.path, with: "FOLDER").replacing(ApusProcess.executable.path, with: "APUS")
            .replacing(/apus-process-[0-9A-F-]+/, with: "FOLDER").replacing(/[0-9a-f]{64}/, with: "SHA256")
            .replacing(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/, with: "TIME")
            .replacing(/-?[0-9]+\.[0-9]+(e-[0-9]+)?/, with: "#").replacing(", the best so far", with: "")
            .replacing(/best: epoch \d[^\n]*(\nbest, F1[^\n]*)?(\nlast: [^\n]*)?/, with: "BEST AND LAST")
    }

    private func expectKept(_ text: String, _ name: String, location: SourceLocation = #_sourceLocation) throws {
        let file = repository.appending(path: "Tests/Fixtures/screens/\(name).txt")
        let expected = try String(contentsOf: file, encoding: .utf8)
        #expect(text + "\n" == expected, "\(text)", sourceLocation: location)
    }

    @Test func `a pipe gets lines without codes, with the time from the first step to the last`() throws {
        let job = try SmallJob()
        let run = try ApusProcess(job.command("run", Self.options, validation: true))
        #expect(run.status == 0)
        #expect(!run.output.contains("\u{1B}") && !run.output.contains("\r"))
        try expectKept(kept(String(run.output.dropLast()), job), "pipe")
        #expect(run.complaint.isEmpty)
    }

    @Test(.enabled(if: TerminalSession.isPossible, "needs tmux"), arguments: [(80, 24), (200, 50)])
    func `a finished run leaves its news on the terminal and no status line`(columns: Int, rows: Int) throws {
        let job = try SmallJob()
        let words = job.command("run", Self.options, validation: true).joined(separator: " ")
        let shell =
            "cd \(job.folder.path); \(ApusProcess.executable.path) \(words.replacing(job.folder.path + "/", with: ""))"
        let terminal = try TerminalSession(columns: columns, rows: rows, shell)
        try terminal.waitForEnd()
        let screen = try terminal.screen()
        #expect(!screen.contains { $0.contains(" left") || $0.contains("[#") || $0.contains("[.") }, "\(screen)")
        // What comes before and after has paths, and breaks where these end.
        let first = try #require(screen.firstIndex { $0.hasPrefix("training all ") }, "\(screen)")
        let end = try #require(screen.firstIndex { $0.hasPrefix("best: epoch ") }, "\(screen)")
        try expectKept(kept(screen[first..<end].joined(separator: "\n"), job), "finished")
        #expect(screen.contains { $0.hasPrefix("6 steps with 44 samples in ") }, "\(screen)")
    }

    @Test(.enabled(if: TerminalSession.isPossible, "needs tmux"), arguments: [(80, 24), (200, 50)])
    func `a status line is one row, and news of coordinator and launcher stand above it`(columns: Int, rows: Int) throws
    {
        let job = try SmallJob()
        let command = ([ApusProcess.executable.path] + job.launch("run", workers: 2, SmallJob.endless)).joined(
            separator: " ")
        let terminal = try TerminalSession(columns: columns, rows: rows, environment: job.environment, command)
        try terminal.wait(for: " left")
        kill(try #require(job.workers.last), SIGKILL)
        try terminal.wait(for: "a replacement starts")
        try terminal.wait(for: ": 2 workers on 1 host, after step ")
        try terminal.wait(for: " left")
        try terminal.resize(columns: columns - 20, rows: rows)
        try terminal.wait(for: " left")
        try terminal.wait(for: " left")
        try terminal.type("C-c")
        try terminal.waitForEnd()
        let screen = try terminal.screen()
        #expect(!screen.contains { $0.contains(" left") }, "\(screen)")
        #expect(!screen.contains { $0.contains(#/\S+apus: /#) }, "\(screen)")
        #expect(
            screen.contains {
                $0.hasPrefix("apus: stopping after this step") || $0.hasPrefix("apus: stopped after step ")
            }, "\(screen)")
        #expect(job.processes.isEmpty)
    }

    @Test(.enabled(if: TerminalSession.isPossible, "needs tmux")) func `a running status line fits its terminal`()
        throws
    {
        let job = try SmallJob()
        let command = ([ApusProcess.executable.path] + job.command("run", SmallJob.endless)).joined(separator: " ")
        let terminal = try TerminalSession(columns: 80, rows: 24, command)
        try terminal.wait(for: " left")
        let screen = try terminal.screen()
        #expect(screen.count { $0.contains(" left") } <= 1, "\(screen)")
        #expect(screen.allSatisfy { $0.count <= 80 })
        try terminal.type("C-c")
        try terminal.waitForEnd()
    }

    @Test(.enabled(if: TerminalSession.isPossible, "needs tmux"), arguments: ["TERM=dumb", "--progress plain"])
    func `a terminal without codes gets lines`(how: String) throws {
        let job = try SmallJob()
        let isOption = how.hasPrefix("--")
        let command =
            ([ApusProcess.executable.path]
            + job.command("run", Self.options + (isOption ? ["--progress", "plain"] : []))).joined(separator: " ")
        let terminal = try TerminalSession(
            columns: 200, rows: 50, "\(isOption ? "" : how + " ")\(command) | tee \(job.path("text"))")
        try terminal.waitForEnd()
        #expect(try !job.text("text").contains("\u{1B}"))
    }
}
