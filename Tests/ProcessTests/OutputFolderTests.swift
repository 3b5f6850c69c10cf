import Foundation
import Testing

/// Where a run may put its files, and reasons for refusing a folder.
@Suite struct OutputFolderTests {
    @Test func `a folder that contains another run is left as it is`() throws {
        let job = try SmallJob()
        try job.train("run", "--max-steps", "2")
        let before = try job.contents()
        expectOneLine(
            try ApusProcess(job.command("run", ["--max-steps", "2"])), status: 2, job.path("run"),
            "contains another run", "--resume")
        #expect(try job.contents() == before)
    }

    @Test func `a folder with other files is used and they stay`() throws {
        let job = try SmallJob()
        try FileManager.default.createDirectory(at: job.folder.url("run"), withIntermediateDirectories: false)
        try job.write("run/notes.txt", "mine")
        try job.train("run", "--max-steps", "1")
        #expect(try job.text("run/notes.txt") == "mine")
    }

    @Test(arguments: ["r", "r/s/", "./r"])
    func `a relative folder is below the current one`(output: String) throws {
        let job = try SmallJob()
        let apus = ApusProcess.executable.path
        let run = try ScriptRun(
            shell:
                "\(apus) train --model model --train train.tsv --max-length 20 --max-steps 1 --output \(output) && "
                + "\(apus) train --resume --output \(output)",
            from: job.folder.url("."))
        #expect(run.status == 0, "\(run.text)")
        #expect(run.text.contains("the run in \(output) is finished"), "\(run.text)")
        #expect(job.exists("\(output)/summary.json"))
    }

    @Test func `a file in the way is named`() throws {
        let job = try SmallJob()
        try job.write("run", "a file")
        expectOneLine(try ApusProcess(job.command("run")), status: 2, job.path("run"), "is a file")
        #expect(try job.text("run") == "a file")
        expectOneLine(
            try ApusProcess(job.command("run/below")), status: 2, job.path("run/below"), "is a file",
            "name another folder")
    }

    @Test(.enabled(if: getuid() != 0, "the superuser may write anywhere"))
    func `without permission nothing is written`() throws {
        let job = try SmallJob()
        try FileManager.default.createDirectory(
            at: job.folder.url("closed"), withIntermediateDirectories: false, attributes: [.posixPermissions: 0o555])
        expectOneLine(try ApusProcess(job.command("closed/run")), status: 2, "closed/run", "Permission denied")
        expectOneLine(try ApusProcess(job.command("closed")), status: 2, "closed", "Permission denied")
        #expect(try FileManager.default.contentsOfDirectory(atPath: job.path("closed")).isEmpty)
    }

    @Test(.enabled(if: SmallDisk.isAllowed, "a mount of one's own needs user namespaces"))
    func `without room for a checkpoint nothing is written`() throws {
        let job = try SmallJob()
        let run = try SmallDisk(job, kibibytes: 64).run(job.command("disk/deep/run"))
        #expect(run.status == 2)
        #expect(run.text.hasPrefix("apus: "), "\(run.text)")
        #expect(run.text.contains("kB free, a checkpoint and the model need "))
        #expect(run.text.contains("make room"))
        #expect(run.text.hasSuffix("left:\n"), "\(run.text)")
    }
}

/// A file system of a given size, seen by one process alone.
struct SmallDisk {
    static let isAllowed =
        (try? ScriptRun(shell: "unshare --user --map-root-user --mount mount -t tmpfs none /mnt"))?.status == 0

    private let place: String
    private let size: Int

    /// At the folder `disk` of a job.
    init(_ job: SmallJob, kibibytes: Int) throws {
        place = job.path("disk")
        size = kibibytes
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
    }

    /// Runs `apus` there; its status, its words, and in a last line the names it left.
    func run(_ arguments: [String]) throws -> ScriptRun {
        let quoted = ([ApusProcess.executable.path] + arguments).map { "'\($0)'" }.joined(separator: " ")
        let body =
            "mount -t tmpfs -o size=\(size)k none \"$0\" || exit 99; \(quoted); status=$?; echo left: $(ls -A "
            + "\"$0\"); exit $status"
        return try ScriptRun(
            shell: "unshare --user --map-root-user --mount bash -c '\(body.replacing("'", with: "'\\''"))' '\(place)'")
    }
}
