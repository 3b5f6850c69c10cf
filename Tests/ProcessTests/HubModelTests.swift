import Foundation
import Testing

/// `--model NAME`: models from a hub at a local address, by the built program.
@Suite struct HubModelTests {
    /// A hub with the model of a small job as `test/small`, and an empty cache.
    final class Hub {
        let job: SmallJob
        let endpoint: String
        private let process = Process()
        private let input = Pipe()

        init(_ faults: String = "{}") throws {
            job = try SmallJob()
            let folder = job.folder.url("hub/test")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try FileManager.default.copyItem(at: job.folder.url("model"), to: folder.appending(path: "small"))
            process.executableURL = URL(filePath: "/usr/bin/env")
            let server = repository.appending(path: "Tests/Fixtures/hub/hub_server.py").path
            process.arguments = ["python3", server, job.path("hub"), faults]
            let output = Pipe()
            process.standardInput = input
            process.standardOutput = output
            try process.run()
            let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
            endpoint = "http://127.0.0.1:\(line.trimmingCharacters(in: .whitespacesAndNewlines))"
        }

        deinit {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }

        func environment(_ more: [String: String] = [:]) -> [String: String] {
            ["HF_ENDPOINT": endpoint, "HF_HOME": job.path("home"), "HF_HUB_OFFLINE": "0"].merging(more) { $1 }
        }

        func run(_ arguments: [String], input: String = "", _ more: [String: String] = [:]) throws -> ApusProcess {
            try ApusProcess(arguments, input: input, environment: environment(more))
        }

        /// A training run by name.
        func train(_ output: String, _ name: String, _ more: [String: String] = [:], _ options: String...) throws
            -> ApusProcess
        {
            var command = job.command(output, options)
            command[2] = name
            return try run(command, more)
        }

        /// Names below the cache, or an empty list.
        var cached: [String] {
            (FileManager.default.enumerator(atPath: job.path("home/hub"))?.allObjects ?? []).compactMap {
                $0 as? String
            }
        }
    }

    @Test func `a name trains to the same bits as its folder, and then without the hub`() throws {
        let hub = try Hub()
        let plain = try hub.job.train("plain")
        let first = try hub.train("first", "test/small")
        #expect(first.status == 0, "\(first.complaint)")
        let run = try FinishedRun(hub.job, "first")
        #expect(run.digest == plain.digest)
        let source = try #require(run.summary["source_model"] as? [String: Any])
        let commit = try #require(source["revision"] as? String)
        #expect(source["repository"] as? String == "test/small" && commit.count == 40)
        let files = try #require(source["files"] as? [String: String])
        #expect(files.keys.sorted() == ["config.json", "model.safetensors", "vocab.txt"])
        #expect((run.summary["reproduce"] as? String)?.contains("--model test/small@\(commit) ") == true)
        #expect(try hub.job.text("first/model/README.md").contains("base_model: \"test/small\""))
        let again = try hub.train("again", "test/small", ["HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "1"])
        #expect(again.status == 0, "\(again.complaint)")
        #expect(try FinishedRun(hub.job, "again").digest == plain.digest)
    }

    @Test func `launched workers need neither hub nor token`() throws {
        let hub = try Hub(#"{"private": ["test/small"], "token": "hf_secret"}"#)
        var command = hub.job.command("run", ["--workers", "2", "--batch-size", "4"])
        (command[0], command[2]) = ("launch", "test/small")
        let run = try hub.run(command, ["HF_TOKEN": "hf_secret"])
        #expect(run.status == 0, "\(run.complaint)")
        for text in [run.output, run.complaint, try hub.job.text("run/log.txt"), try hub.job.text("run/config.yaml")] {
            #expect(!text.contains("hf_secret"))
        }
        let resumed = try hub.run(["train", "--resume", "--output", hub.job.path("run"), "--max-steps", "20"])
        #expect(resumed.status == 0, "\(resumed.complaint)")
    }

    @Test func `curl gets the token on its input, and neither in its arguments nor in its environment`() throws {
        let job = try SmallJob()
        let programs = try StandIns()
        try programs.add("curl", "\(programs.record); env >'\(job.path("environment"))'; cat >'\(job.path("input"))'")
        let path = "\(programs.folder.path):\(ProcessInfo.processInfo.environment["PATH"] ?? "")"
        let run = try ApusProcess(
            "download", "test/small",
            environment: ["PATH": path, "HF_TOKEN": "hf_secret", "HF_HOME": job.path("home"), "HF_HUB_OFFLINE": "0"])
        expectOneLine(run, status: 2)
        #expect(!run.complaint.contains("hf_secret"))
        #expect(try programs.calls() == ["curl --disable --config -"])
        #expect(try job.text("input").contains("Authorization: Bearer hf_secret"))
        #expect(try !job.text("environment").contains("hf_secret"))
        #expect(try job.text("input").contains("url = \"https://huggingface.co/test/small/resolve/main/config.json\""))
    }

    @Test func `the token outlives the restart that a low limit of the stack brings`() throws {
        let hub = try Hub(#"{"private": ["test/small"], "token": "hf_secret"}"#)
        let variables = hub.environment(["HF_TOKEN": "hf_secret"]).map { "\($0)='\($1)'" }.joined(separator: " ")
        let run = try ScriptRun(
            shell: "ulimit -S -s 1024 && \(variables) '\(ApusProcess.executable.path)' download test/small")
        #expect(run.status == 0, "\(run.text)")
    }

    @Test func `a proxy is asked in place of the hub and of the host of the weights`() throws {
        let hub = try Hub(#"{"private": ["test/small"], "token": "hf_secret"}"#)
        // Only the proxy, which is the server itself, knows this name.
        let variables = [
            "HF_ENDPOINT": "http://hub.invalid", "http_proxy": hub.endpoint, "no_proxy": "", "HF_TOKEN": "hf_secret",
        ]
        let run = try hub.run(["download", "test/small"], variables)
        #expect(run.status == 0, "\(run.complaint)")
        let requests = try hub.job.text("hub/requests.jsonl").split(separator: "\n")
        #expect(requests.count { $0.contains("\"host\": \"hub.invalid\"") } > 2)
        let weights = try #require(requests.first { $0.contains("/storage/") })
        #expect(weights.contains("\"host\": \"localhost:") && !weights.contains("hf_secret"))
    }

    @Test func `a resumed run downloads the commit that it was begun with`() throws {
        let hub = try Hub()
        #expect(try hub.train("run", "test/small", [:], "--max-steps", "1").status == 0)
        try FileManager.default.removeItem(atPath: hub.job.path("home"))
        let resumed = try hub.run(["train", "--resume", "--output", hub.job.path("run"), "--max-steps", "2"])
        #expect(resumed.status == 0, "\(resumed.complaint)")
    }

    @Test func `a folder of that name wins`() throws {
        let hub = try Hub()
        let folder = hub.job.folder
        try FileManager.default.createDirectory(at: folder.url("test"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: folder.url("model"), to: folder.url("test/small"))
        let program = ApusProcess.executable.path
        let run = try ScriptRun(
            shell: "echo '{\"text\": \"bel\"}' | HF_ENDPOINT=http://127.0.0.1:9 HF_HOME=\(hub.job.path("home")) "
                + "\(program) tokenize --model test/small", from: URL(filePath: folder.path))
        #expect(run.status == 0 && run.text.contains("ids"), "\(run.text)")
        #expect(hub.cached.isEmpty)
    }

    @Test func `predict, evaluate and tokenize take names`() throws {
        let hub = try Hub()
        let tokens = try hub.run(["tokenize", "--model", "test/small"], input: "{\"text\": \"bel\"}\n")
        #expect(tokens.status == 0 && tokens.output.contains("ids"), "\(tokens.complaint)")
        #expect(!hub.cached.contains { $0.hasSuffix("model.safetensors") })
        let answers = try hub.run(["predict", "--model", "test/small"], input: "bel\n")
        #expect(answers.status == 0 && answers.output.contains("label"), "\(answers.complaint)")
        let scores = try hub.run(["evaluate", "--model", "test/small", "--input", hub.job.validation])
        #expect(scores.status == 0 && scores.output.contains("loss"), "\(scores.complaint)")
    }

    @Test func `download prints the folder`() throws {
        let hub = try Hub()
        let run = try hub.run(["download", "test/small"])
        #expect(run.status == 0, "\(run.complaint)")
        let path = run.output.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(FileManager.default.fileExists(atPath: path + "/model.safetensors"))
        let unknown = try hub.run(["download", "test small"])
        expectOneLine(unknown, status: 2)
    }

    @Test func `a name that the hub does not have is answered with the nearest in the cache`() throws {
        let hub = try Hub()
        #expect(try hub.run(["download", "test/small"]).status == 0)
        let before = hub.cached.sorted()
        for (name, words) in [
            ("test/smal", ["no such folder", "is not on 127.0.0.1", "did you mean test/small"]),
            ("other/small", ["did you mean test/small"]), ("test/small@v9", ["has no revision 'v9'"]),
            ("test/unlike-any", ["is not on 127.0.0.1", "HF_TOKEN"]),
        ] {
            let run = try hub.train("run", name)
            expectOneLine(run, status: 2)
            for word in words { #expect(run.complaint.contains(word), "\(run.complaint)") }
            #expect(!hub.job.exists("run"))
        }
        #expect(hub.cached.sorted() == before)
    }

    @Test func `without the hub the line says what the cache has`() throws {
        let hub = try Hub()
        #expect(try hub.run(["download", "test/small"]).status == 0)
        for more in [["HF_HUB_OFFLINE": "1"], ["HF_ENDPOINT": "http://127.0.0.1:9"]] {
            let run = try hub.train("run", "test/other", more)
            expectOneLine(run, status: 2)
            #expect(run.complaint.contains("home/hub has test/small"), "\(run.complaint)")
        }
    }

    @Test func `a disk that takes no more leaves nothing half-written`() throws {
        let hub = try Hub()
        let run = try ScriptRun(
            shell: "ulimit -f 20; HF_ENDPOINT=\(hub.endpoint) HF_HUB_OFFLINE=0 HF_HOME='\(hub.job.path("home"))' "
                + "'\(ApusProcess.executable.path)' download test/small")
        #expect(run.status == 2 && run.text.contains("make room, or set HF_HUB_CACHE"), "\(run.text)")
        #expect(!hub.cached.contains { $0.hasSuffix("incomplete") || $0.hasSuffix("model.safetensors") })
        #expect(try hub.run(["download", "test/small"]).status == 0)
    }

    @Test func `a model of another kind is refused before its weights`() throws {
        let hub = try Hub(#"{"contents": {}}"#)
        try hub.job.write("hub/test/small/config.json", #"{"model_type": "gpt2"}"#)
        let run = try hub.train("run", "test/small")
        expectOneLine(run, status: 2)
        #expect(run.complaint.contains("gpt2"), "\(run.complaint)")
        #expect(!hub.cached.contains { $0.hasSuffix("model.safetensors") })
    }
}
