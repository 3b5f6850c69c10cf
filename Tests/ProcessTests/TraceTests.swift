import Foundation
import Testing

/// The trace for maintainers.
@Suite struct TraceTests {
    let started: HandStartedTests
    var job: SmallJob { started.job }
    private static let options = ["--epochs", "2", "--batch-size", "8", "--lanes", "4", "--progress", "off"]

    init() throws { started = try HandStartedTests() }

    /// A line of the trace; the messages of a run are other lines.
    private struct Line {
        let level: Substring
        let part: Substring
        let rest: Substring

        init?(_ text: String) {
            guard let found = text.wholeMatch(of: /(?:\[\d\] )?[\d-]+T[\d:.]+Z \d+ ([a-z]+) ([a-z]+): (.+)/) else {
                return nil
            }
            (level, part, rest) = (found.1, found.2, found.3)
        }
    }

    @Test func `a trace has generations, calls and frames, and no key or text`() throws {
        #expect(try ApusProcess("keygen", job.path("keys"), "--workers", "2").status == 0)
        let port = try started.freePort()
        let options = Self.options + ["--validation", job.validation]
        let coordinator = try started.coordinator(
            port, workers: 2, keys: job.path("keys/coordinator.key"), options + ["--log-level", "trace"])
        let workers = try (1...2).map { number in
            try RunningApus(
                ["work", "--coordinator", "tcp://127.0.0.1:\(port)", "--threads", "1"],
                environment: ["APUS_KEY_FILE": job.path("keys/worker-\(number).key"), "APUS_LOG_LEVEL": "trace"])
        }
        let ends = [coordinator.end()] + workers.map { $0.end() }
        for end in ends { #expect(end.status == 0, "\(end.complaint)") }
        let traces = ends.map { $0.complaint.compactMap(Line.init) }
        for trace in traces {
            for words in ["call arrived ", "generation=1 ", "kind=lane ", "step=5 ", "found "] {
                #expect(trace.contains { "\($0.rest) ".contains(words) }, "\(words)")
            }
        }
        #expect(traces[0].contains { $0.level == "info" && $0.rest.hasPrefix("generation formed generation=1 step=0") })
        #expect(traces[0].contains { $0.rest.hasPrefix("sent ") && $0.rest.contains("kind=chunk ") })
        #expect(traces[1].contains { $0.rest.hasPrefix("answer ") && $0.rest.contains("target=worker.step") })

        let all = ends.map { ($0.output + $0.complaint).joined(separator: "\n") }.joined(separator: "\n")
        let keys = try ["coordinator", "worker-1", "worker-2"].flatMap { name in
            try job.text("keys/\(name).key").split(whereSeparator: \.isWhitespace).map(String.init)
        }.filter { $0.count == 40 }
        #expect(Set(keys).count >= 6)
        for key in keys {
            #expect(!all.contains(key))
            #expect(!all.contains(Data(key.utf8).base64EncodedString()))
        }
        let texts = try [job.data, job.validation].flatMap { path in
            try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").dropFirst()
                .compactMap { $0.split(separator: "\t").first.map(String.init) }.filter { $0.contains(" ") }
        }
        #expect(texts.count > 10)
        for text in texts { #expect(!all.contains(text)) }
    }

    @Test func `a launched job traces all its processes, to the same bits, and by default none`() throws {
        let plain = try ApusProcess(job.launch("plain", workers: 2, Self.options))
        #expect(plain.status == 0, "\(plain.complaint)")
        #expect(!plain.complaint.split(separator: "\n").contains { Line(String($0)) != nil }, "\(plain.complaint)")
        let traced = try ApusProcess(job.launch("traced", workers: 2, Self.options + ["--log-level", "debug"]))
        #expect(traced.status == 0, "\(traced.complaint)")
        let lines = traced.complaint.split(separator: "\n").map(String.init)
        let parts = Set(lines.compactMap(Line.init).map(\.part))
        #expect(parts.isSuperset(of: ["launcher", "run", "control"]))
        #expect(lines.contains { $0.hasPrefix("[0] ") && Line($0) != nil })
        #expect(!lines.compactMap(Line.init).contains { $0.level == "trace" })
        #expect(try FinishedRun(job, "plain").digest == FinishedRun(job, "traced").digest)
        #expect(!traced.output.contains("--log-level"), "the command that gives the same bits")
    }

    @Test func `a level that does not exist is one line`() throws {
        for command in ["train", "coordinate", "work", "launch"] {
            let options = command == "coordinate" ? ["--workers", "1"] : []
            expectOneLine(
                try ApusProcess([command, "--log-level", "loud"] + options), status: 2, "--log-level is 'loud'",
                "must be trace, debug, info, notice, warning, error or critical")
        }
        expectOneLine(
            try ApusProcess(job.command("run"), environment: ["APUS_LOG_LEVEL": "9"]), status: 2,
            "APUS_LOG_LEVEL is '9', must be trace")
        #expect(!job.exists("run"))
    }
}
