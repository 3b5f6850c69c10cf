import Foundation
import Testing

/// The launcher's own folder, with the sockets of a run.
@Suite struct LauncherFolderTests {
    @Test func `a folder for temporary files with a long path serves as well as another`() throws {
        let job = try SmallJob()
        let deep = job.path(String(repeating: "t", count: 150 - job.folder.path.utf8.count - 1))
        try FileManager.default.createDirectory(atPath: deep, withIntermediateDirectories: false)
        let run = try RunningApus(
            job.launch("run", workers: 2, SmallJob.endless), environment: ["TMPDIR": deep])
        try run.waitForOutput("epoch 2/")
        let names = try FileManager.default.contentsOfDirectory(atPath: "/tmp")
        let folder = "/tmp/" + (try #require(names.first { $0.hasPrefix("apus-\(run.identifier)-") }))
        #expect(FileManager.default.fileExists(atPath: folder + "/control"))
        let attributes = try FileManager.default.attributesOfItem(atPath: folder)
        #expect(attributes[.posixPermissions] as? Int == 0o700)
        run.send(SIGINT)
        #expect(run.end().status == 130)
        #expect(!FileManager.default.fileExists(atPath: folder))
        #expect(try FileManager.default.contentsOfDirectory(atPath: deep).isEmpty)
    }

    @Test func `a folder too deep for the sockets of a run is refused before anything begins`() throws {
        let job = try SmallJob()
        let deep = job.path(String(repeating: "t", count: 100 - job.folder.path.utf8.count))
        try FileManager.default.createDirectory(atPath: deep, withIntermediateDirectories: false)
        let coordinator = try ApusProcess(
            ["coordinate", "--workers", "1", "--endpoint", "ipc://\(deep)/c"] + job.command("run").dropFirst())
        expectOneLine(coordinator, status: 2, deep, "bytes too long")
        #expect(try FileManager.default.contentsOfDirectory(atPath: deep).isEmpty)
        #expect(!job.exists("run"))
    }

    @Test func `the folder of a killed launcher is removed by a later one, once its processes are gone`() throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 1)
        try run.waitForEpoch(2)
        func folders() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: job.folder.path).filter { $0.hasPrefix("apus-") }
        }
        let folder = try #require(try folders().first)
        // This process acts as one of the run's that outlives the launcher.
        let hold = unsafe open(job.path(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        #expect(flock(hold, LOCK_SH) == 0)
        let processes = job.processes
        kill(run.identifier, SIGKILL)
        try job.expectGone(processes, within: 30)
        // As if it had been a while ago.
        let old = [FileAttributeKey.modificationDate: Date.now - 3_600]
        try FileManager.default.setAttributes(old, ofItemAtPath: job.path(folder))
        #expect(
            try ApusProcess(job.launch("beside", workers: 1, ["--max-steps", "1"]), environment: job.environment).status
                == 0)
        #expect(try folders() == [folder])
        close(hold)
        try FileManager.default.setAttributes(old, ofItemAtPath: job.path(folder))
        #expect(
            try ApusProcess(job.launch("after", workers: 1, ["--max-steps", "1"]), environment: job.environment).status
                == 0)
        #expect(try folders() == [])
    }

    @Test(arguments: [
        ".lock", "log.txt", "summary.json.partial", "journal.partial", "config.yaml.partial", "model.partial",
    ])
    func `what links in a prepared folder point to stays as it is`(name: String) throws {
        let job = try SmallJob()
        try job.write("victim", "precious")
        try FileManager.default.createDirectory(at: job.folder.url("run"), withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(
            at: job.folder.url("run/\(name)"), withDestinationURL: job.folder.url("victim"))
        let run = try ApusProcess(job.launch("run", workers: 1, ["--max-steps", "2"]), environment: job.environment)
        #expect(try job.text("victim") == "precious")
        if name.hasSuffix(".partial") {
            #expect(run.status == 0)
        } else {
            expectOneLine(run, status: 2, job.path("run/\(name)"), "is a link")
        }
    }
}
