import Foundation
import Testing

@testable import Checkpoints
@testable import Files

@Suite struct RunFolderTests {
    private func problem(_ path: String, resuming: Bool = false, neededBytes: Int = 0) -> String {
        do { _ = try RunFolder(path, resuming: resuming, neededBytes: neededBytes) } catch { return error.problem }
        return "none"
    }

    @Test func takesANewFolderAndThoseAboveIt() throws {
        let folder = try TemporaryFolder()
        let run = try RunFolder(folder("a/b"), resuming: false, neededBytes: 1)
        #expect(names(in: run.path) == [".lock"])
        #expect(try FileSystem.read(folder("a/b/.lock")) == Array("\(ProcessInfo.processInfo.processIdentifier)".utf8))
    }

    @Test(arguments: [
        "summary.json", "config.yaml", "metrics.jsonl", "checkpoints", "journal", "model", "model-best", "adapter",
        "adapter-best",
    ])
    func refusesAnotherRun(trace: String) throws {
        let folder = try TemporaryFolder()
        try folder.write("x", to: trace)
        #expect(
            problem(folder.path) == "contains another run (\(trace)): resume it with --resume, or name another --output"
        )
        #expect(names(in: folder.path) == [trace])
        _ = try RunFolder(folder.path, resuming: true, neededBytes: 0)
    }

    @Test func `a model whose replacement was cut short is put back`() throws {
        let folder = try TemporaryFolder()
        for (name, text) in [
            ("model-best.replaced.partial/a", "old"), ("model.replaced.partial/a", "old"), ("model/a", "new"),
        ] {
            try FileSystem.makeFolder(folder(FileSystem.parent(name)))
            try folder.write(text, to: name)
        }
        _ = try RunFolder(folder.path, resuming: true, neededBytes: 0)
        #expect(names(in: folder.path) == [".lock", "model", "model-best"])
        #expect(try FileSystem.read(folder("model-best/a")) == Array("old".utf8))
        #expect(try FileSystem.read(folder("model/a")) == Array("new".utf8))
    }

    @Test(arguments: [false, true])
    func refusesAFileInItsPlace(resuming: Bool) throws {
        let folder = try TemporaryFolder()
        try folder.write("x", to: "file")
        #expect(problem(folder("file"), resuming: resuming) == "is a file: name a folder with --output")
        #expect(problem(folder("file/below"), resuming: resuming).hasPrefix("lies below "))
        #expect(names(in: folder.path) == ["file"])
    }

    @Test func refusesASecondHolderUntilTheFirstIsGone() throws {
        let folder = try TemporaryFolder()
        var first: RunFolder? = try RunFolder(folder("run"), resuming: false, neededBytes: 0)
        let holder = ProcessInfo.processInfo.processIdentifier
        for resuming in [false, true] {
            #expect(
                problem(folder("run"), resuming: resuming)
                    == "is in use by another run (process \(holder)): wait for it, or name another --output")
        }
        #expect(first?.path == folder("run"))
        #expect(names(in: folder("run")) == [".lock"])
        first = nil
        #expect(problem(folder("run")) == "none")
    }

    @Test func `a folder whose lock file was deleted is still held`() throws {
        let folder = try TemporaryFolder()
        let first = try RunFolder(folder("run"), resuming: false, neededBytes: 0)
        try FileManager.default.removeItem(atPath: folder("run/.lock"))
        #expect(RunFolder.isHeld(folder("run")))
        #expect(problem(folder("run"), resuming: true).hasPrefix("is in use by another run"))
        withExtendedLifetime(first) {}
    }

    @Test func refusesTooLittleRoomAndWritesNothing() throws {
        let folder = try TemporaryFolder()
        for name in ["new", "a/b/c"] {
            let said = problem(folder(name), neededBytes: .max)
            #expect(
                said.hasSuffix("B free, a checkpoint and the model need 9.22 EB: make room or name another --output"),
                "\(said)")
        }
        #expect(problem(folder.path, neededBytes: .max).contains("make room"))
        #expect(names(in: folder.path) == [])
    }

    @Test func `a run that goes on is told of too little room and not refused`() throws {
        let folder = try TemporaryFolder()
        #expect(
            try RunFolder(folder.path, resuming: true, neededBytes: .max).shortage?.contains(
                " free, a checkpoint and the model need 9.22 EB") == true)
        #expect(try RunFolder(folder.path, resuming: true, neededBytes: 1).shortage == nil)
    }

    @Test(arguments: [".lock", "log.txt", "metrics.jsonl"], [false, true])
    func `a link under the name of a file that is written in place is refused`(name: String, resuming: Bool) throws {
        let folder = try TemporaryFolder()
        try folder.write("precious", to: "victim")
        try FileSystem.makeFolder(folder("run"))
        try FileManager.default.createSymbolicLink(atPath: folder("run/\(name)"), withDestinationPath: folder("victim"))
        #expect(problem(folder("run"), resuming: resuming).contains("is a link to another file"))
        #expect(try FileSystem.read(folder("victim")) == Array("precious".utf8))
    }

    @Test func `a lock file that has another name is locked and not written`() throws {
        let folder = try TemporaryFolder()
        try FileSystem.makeFolder(folder("run"))
        try FileManager.default.linkItem(atPath: folder.write("precious", to: "victim"), toPath: folder("run/.lock"))
        let run = try RunFolder(folder("run"), resuming: false, neededBytes: 0)
        #expect(try FileSystem.read(folder("victim")) == Array("precious".utf8))
        withExtendedLifetime(run) {}
    }

    @Test func appendsMetricsLineByLine() throws {
        let folder = try TemporaryFolder()
        let run = try RunFolder(folder("run"), resuming: false, neededBytes: 0)
        try run.appendMetrics("{\"step\":1}")
        try run.appendMetrics("{\"step\":2}")
        #expect(try FileSystem.read(folder("run/metrics.jsonl")) == Array("{\"step\":1}\n{\"step\":2}\n".utf8))
    }

    @Test func trimmingCutsATornLineAndWhatLiesBeyondAStep() throws {
        let folder = try TemporaryFolder()
        try folder.write("{\"step\":1}\n{\"step\":2}\n\n{\"step\":3}\n{\"step\":4,\"loss\":0.", to: "metrics.jsonl")
        let run = try RunFolder(folder.path, resuming: true, neededBytes: 0)
        try run.appendMetrics("")
        run.trimMetrics { ($0["step"]?.integer ?? 0) <= 2 }
        try run.appendMetrics("{\"step\":3,\"again\":true}")
        #expect(
            try String(decoding: FileSystem.read(folder("metrics.jsonl")), as: UTF8.self)
                == "{\"step\":1}\n{\"step\":2}\n{\"step\":3,\"again\":true}\n")
    }

    @Test func trimmingWithoutMetricsMakesNoFile() throws {
        let folder = try TemporaryFolder()
        let run = try RunFolder(folder.path, resuming: true, neededBytes: 0)
        run.trimMetrics { _ in true }
        try run.replace("summary.json", with: Array("{}".utf8))
        #expect(names(in: folder.path) == [".lock", "summary.json"])
    }
}
