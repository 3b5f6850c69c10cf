import Foundation
import Testing

/// `apus watch --serve` over a run that has ended: who is let in, and what is told.
@Suite struct WatchServeTests {
    private func serve(_ run: String, _ options: String...) throws -> (RunningApus, PageAddress) {
        let page = try RunningApus(["watch", "--serve", run] + options)
        return (page, try PageAddress(page.waitForOutput("http://")))
    }

    private func finished() throws -> (SmallJob, FinishedRun) {
        let job = try SmallJob(labels: ["bad", "good"])
        return (job, try job.train("run", "--epochs", "2", "--batch-size", "4", validation: true))
    }

    @Test func `the page needs its token and a name of this machine, and tells the run's figures`() throws {
        let (job, run) = try finished()
        let (page, address) = try serve(job.path("run"))
        let token = address.token
        #expect(try address.ask("GET / HTTP/1.1\r\nHost: localhost").status == 401)
        #expect(
            try address.ask("GET /events?token=\(String(token.reversed())) HTTP/1.1\r\nHost: localhost").status == 403)
        #expect(try address.ask("GET /?token=\(token) HTTP/1.1\r\nHost: evil.example").status == 421)
        #expect(try address.ask("GET /?token=\(token) HTTP/1.1").status == 421)
        #expect(try address.ask("POST /?token=\(token) HTTP/1.1\r\nHost: localhost").status == 405)
        #expect(try address.ask("nonsense").status == 400)
        #expect(try address.ask("GET /\(String(repeating: "a", count: 17_000)) HTTP/1.1").status == 431)
        #expect(try address.get("/health").body == "ok\n")
        #expect(try address.ask("GET /health HTTP/1.1\r\nHost: 127.0.0.1:1").status == 200)

        let html = try address.get("/")
        #expect(html.status == 200 && html.head.contains("Content-Security-Policy: default-src 'none'"))
        #expect(html.head.contains("Referrer-Policy: no-referrer"))
        for absent in ["Access-Control", "Set-Cookie", "unsafe-inline"] { #expect(!html.head.contains(absent)) }
        #expect(!html.body.contains(token))

        let events = try PageEvents(address)
        try events.wait { !$0.isEmpty }
        #expect(events.live["state"] as? String == "finished")
        #expect(events.steps["step"] as? [Int] == run.steps)
        let losses = try #require(events.steps["loss"] as? [Double])
        for (loss, event) in zip(losses, run.events("step")) {
            #expect(abs(loss - (try #require(event["loss"] as? Double))) < 1e-6)
        }
        let metrics = try address.get("/metrics")
        #expect(metrics.head.contains("Content-Type: text/plain; version=0.0.4"))
        let last = try #require(run.events("step").last?["loss"] as? Double)
        let found = try #require(metrics.body.firstMatch(of: /\napus_train_loss (\S+)\n/).flatMap { Double($0.1) })
        #expect(abs(found - last) < 1e-12)
        #expect(metrics.body.contains("\napus_run_state{state=\"finished\"} 1.0\n"))
        #expect(metrics.body.contains("\napus_step \(Double(run.steps.count))\n"))
        try expectPrometheus(metrics.body)
        page.send(SIGTERM)
        #expect(page.end().status == 0)
        while try events.next() {}
    }

    /// The rules of the text format: each figure has its help and type before its samples, once, and all samples are
    /// numbers with whole labels.
    private func expectPrometheus(_ text: String, location: SourceLocation = #_sourceLocation) throws {
        var (named, current, seen) = (Set<String>(), "", Set<String>())
        #expect(text.hasSuffix("\n") && !text.contains("\r"), sourceLocation: location)
        for line in text.split(separator: "\n") {
            if let help = line.firstMatch(of: /^# HELP ([a-z_]+) (.+)\.$/) {
                current = String(help.1)
                #expect(named.insert(current).inserted, sourceLocation: location)
            } else if let type = line.firstMatch(of: /^# TYPE ([a-z_]+) (gauge|counter)$/) {
                #expect(type.1 == current && (type.2 == "counter") == current.hasSuffix("_total"))
            } else {
                let sample = try #require(
                    line.wholeMatch(of: /([a-z_]+)(\{([a-z]+="([^"\\\n]|\\[\\"n])*",?)+\})? (\S+)/), "\(line)",
                    sourceLocation: location)
                #expect(sample.1 == current && seen.insert(String(line)).inserted, sourceLocation: location)
                #expect(["NaN", "+Inf", "-Inf"].contains(sample.5) || Double(sample.5) != nil, "\(line)")
            }
        }
    }

    @Test func `at most 64 connections are open, and readers that read nothing keep nobody out`() throws {
        let (job, _) = try finished()
        let (page, address) = try serve(job.path("run"))
        var readers: [PageConnection] = []
        for _ in 0..<64 {
            let reader = try PageConnection(port: address.port)
            try reader.send("GET /events?token=\(address.token) HTTP/1.1\r\nHost: localhost\r\n\r\n")
            _ = try reader.read(to: "\r\n\r\n")
            readers.append(reader)
        }
        #expect(try PageAnswer(PageConnection(port: address.port).readToEnd()).status == 503)
        readers.removeLast(4)
        // The freed places are there once the server has seen the ends.
        var status = 503
        while status == 503 { status = (try? address.get("/health").status) ?? 503 }
        #expect(status == 200)
        page.send(SIGTERM)
        #expect(page.end().status == 0)
    }

    @Test func `what cannot be watched or served is refused in one line`() throws {
        let (job, _) = try finished()
        expectOneLine(try ApusProcess("watch", job.path("none")), status: 2, "no such folder")
        expectOneLine(try ApusProcess("watch", "--serve", job.path("model")), status: 2, "has no run")
        expectOneLine(try ApusProcess("watch", job.path("run"), "--address", "80"), status: 2, "--serve")
        expectOneLine(
            try ApusProcess("watch", "--serve", job.path("run"), "--address", "lab"), status: 2, "HOST:PORT")
        expectOneLine(
            try ApusProcess("watch", "--serve", job.path("run"), "--address", "192.0.2.7:0"), status: 2,
            "no such address")
        let (page, address) = try serve(job.path("run"))
        expectOneLine(
            try ApusProcess("watch", "--serve", job.path("run"), "--address", "\(address.port)"), status: 2, "in use")
        page.send(SIGTERM)
        #expect(page.end().status == 0)
    }

    @Test func `an address beyond this machine comes with a warning`() throws {
        let (job, _) = try finished()
        let page = try RunningApus(["watch", "--serve", job.path("run"), "--address", "0.0.0.0:0"])
        #expect(try page.waitForComplaint().contains("ssh -L"))
        page.send(SIGTERM)
        #expect(page.end().status == 0)
    }

    @Test func `hostile files in the run's folder are shown as text, and half a line is no line`() throws {
        let (job, run) = try finished()
        let hostile = "</script><img src=x onerror=alert(1)>\u{1B}[2J\u{202E}\u{2028}\r\0"
        var metrics = try job.text("run/metrics.jsonl")
        let name = String(decoding: try JSONEncoder().encode(hostile), as: UTF8.self)
        metrics +=
            "{\"after_step\":1,\"event\":\"generation\",\"generation\":7,\"workers\":[{\"host\":\(name),\"lanes\":1,"
            + "\"rank\":0}]}\n{\"event\":\(name)}\n" + String(repeating: "<", count: 2_000_000)
            + "\n{\"event\":\"step\",\"step\":99,\"lo"
        try job.write("run/metrics.jsonl", metrics)
        try job.write("run/log.txt", "\(hostile)\n\(String(repeating: "x", count: 1_000_000))\nlast\nhalf")
        let (page, address) = try serve(job.path("run"))
        let events = try PageEvents(address)
        try events.wait { !$0.isEmpty }
        #expect(events.steps["step"] as? [Int] == run.steps)
        #expect((events.live["log"] as? [String])?.last == "last")
        #expect(
            (events.workers.first?[1] as? String)?
                .hasPrefix("</script><img src=x onerror=alert(1)>⟨U+001B⟩") == true)
        try expectPrometheus(try address.get("/metrics").body)
        // In the terminal nothing moves the cursor.
        let shown = try ApusProcess("watch", job.path("run"))
        #expect(shown.status == 0 && shown.output.contains("finished"))
        #expect(!shown.output.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || $0 == "\u{202E}" })
        page.send(SIGTERM)
        #expect(page.end().status == 0)
    }
}

/// The live page of a run that goes on, whose processes are killed.
@Suite struct WatchLiveTests {
    @Test func `the page follows a run whose workers die, and the run does not notice that the page dies`() throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 2, "--dashboard")
        let address = try PageAddress(run.waitForOutput("http://"))
        let events = try PageEvents(address)
        func isWorking(_ generation: Int) -> ([String: Any]) -> Bool {
            { _ in
                events.live["generation"] as? Int ?? 0 >= generation && events.workers.count == 2
                    && events.workers.allSatisfy { $0[2] as? String == "working" }
            }
        }
        try events.wait(until: isWorking(1))
        let before = try #require(events.live["step"] as? Int)
        kill(try #require(job.workers.first), SIGKILL)
        try events.wait(until: isWorking(2))
        try events.wait { _ in events.live["step"] as? Int ?? 0 > before + 3 }

        let page = try #require(job.processes.first { $0.arguments.dropFirst().first == "watch" })
        kill(page.id, SIGKILL)
        while try events.next() {}
        let again = try RunningApus(["watch", "--serve", job.path("run")])
        let next = try PageEvents(try PageAddress(again.waitForOutput("http://")))
        try next.wait { _ in next.live["state"] as? String == "running" }
        let seen = try #require(next.live["step"] as? Int)
        try next.wait { _ in next.live["step"] as? Int ?? 0 > seen }

        try job.expectUndisturbedRun(run, "run", beside: again)
        try next.wait { _ in next.live["state"] as? String != "running" }
    }

    @Test(.enabled(if: TerminalSession.isPossible, "needs tmux"))
    func `in a terminal the log goes by above a line of progress, which the end of watching removes`() throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 2)
        try run.waitForEpoch(3)
        let terminal = try TerminalSession(
            columns: 80, rows: 24, "\(ApusProcess.executable.path) watch \(job.path("run"))")
        try terminal.wait(for: "running, step ")
        try terminal.wait(for: "training loss ")
        try terminal.wait(for: "working")
        try terminal.wait(for: " left")
        try terminal.wait(for: ": loss ")
        try terminal.type("C-c")
        try terminal.waitForEnd()
        let screen = try terminal.screen()
        #expect(!screen.contains { $0.hasPrefix("[") }, "\(screen)")
        run.send(SIGINT)
        #expect(run.end().status == 130)
    }

    @Test func `a dashboard ends with the run that it shows`() throws {
        let job = try SmallJob()
        let run = try RunningApus(
            job.command("run", SmallJob.endless + ["--dashboard"]), environment: job.environment)
        let address = try PageAddress(run.waitForOutput("http://"))
        let events = try? PageEvents(address)
        run.send(SIGINT)
        #expect(run.end().status == 130)
        #expect(job.processes.isEmpty)
        if let events { while try events.next() {} }
        // Its address is for the terminal, not for a file.
        #expect(try !job.text("run/log.txt").contains(address.token))
    }
}

extension SmallJob {
    /// Stops an endless run while a page is served, and expects the bits of one that nothing disturbed.
    fileprivate func expectUndisturbedRun(_ run: RunningApus, _ output: String, beside page: RunningApus) throws {
        run.send(SIGINT)
        let end = run.end()
        #expect(end.status == 130, "\(end.complaint)")
        page.send(SIGTERM)
        #expect(page.end().status == 0)
        let step = try #require(
            end.complaint.joined().firstMatch(of: /stopped after step ([0-9]+)/).flatMap { Int($0.1) })
        let resumed = try resume(output, "--max-steps", "\(step + 2)")
        #expect(resumed.steps == Array(1...(step + 2)))
        let whole = try ApusProcess(command("\(output)-whole", Self.endless + ["--max-steps", "\(step + 2)"]))
        #expect(whole.status == 0, "\(whole.complaint)")
        #expect(try FinishedRun(self, "\(output)-whole").digest == resumed.digest)
    }
}
