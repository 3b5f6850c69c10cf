import Foundation
import Testing

/// The bits of a usual run where the system has little of what is usual: no variables, one folder to write to, no
/// memory to share, names in other scripts, no standard streams.
@Suite struct OddSurroundingsTests {
    private static let options = ["--batch-size", "8", "--lanes", "4", "--max-steps", "3"]
    private let job: SmallJob
    private let usual: String

    init() throws {
        job = try SmallJob()
        usual = try job.train("usual", "--batch-size", "8", "--lanes", "4", "--max-steps", "3").digest
    }

    /// Runs one process, and then two workers, as `shell` says with the command in its place.
    private func expectUsualBits(
        _ job: SmallJob, location: SourceLocation = #_sourceLocation, shell: (String) -> String
    ) throws {
        for (name, words) in [
            ("one", job.command("one", Self.options)), ("two", job.launch("two", workers: 2, Self.options)),
        ] {
            let quoted = ([ApusProcess.executable.path] + words).map(Self.quoted).joined(separator: " ")
            let run = try ScriptRun(shell: shell(quoted))
            #expect(run.status == 0, "\(name): \(run.text)", sourceLocation: location)
            let digest = job.exists("\(name)/summary.json") ? try FinishedRun(job, name).digest : "none"
            #expect(digest == usual, "\(name)", sourceLocation: location)
        }
    }

    private static func quoted(_ word: String) -> String { "'\(word.replacing("'", with: "'\\''"))'" }

    @Test func `an empty environment`() throws {
        try expectUsualBits(job) { "exec env -i \($0)" }
    }

    @Test func `names in other scripts, with spaces and quotes`() throws {
        let other = try SmallJob(in: "dätä 中国's \"x\"")
        try expectUsualBits(other) { $0 }
        let command = try #require(try FinishedRun(other, "two").summary["reproduce"] as? String)
        let again = try ScriptRun(shell: command.replacing("/two", with: "/again"))
        #expect(again.status == 0, "\(again.text)")
        #expect(try FinishedRun(other, "again").digest == usual)
    }

    @Test(.enabled(if: SmallDisk.isAllowed, "a mount of one's own needs user namespaces"))
    func `a root folder that cannot be written`() throws {
        let folder = Self.quoted(job.folder.path)
        try expectUsualBits(job) { command in
            let inner =
                "mount --bind \(folder) \(folder) && mount -o remount,bind,ro / && ! touch /odd 2>/dev/null && "
                + "export TMPDIR=\(folder) && exec \(command)"
            return "exec unshare --user --map-root-user --mount bash -c \(Self.quoted(inner))"
        }
    }

    @Test(
        .enabled(if: SmallDisk.isAllowed, "a mount of one's own needs user namespaces"),
        arguments: ["size=4k", "size=64k", "ro"])
    func `shared memory that holds nothing`(options: String) throws {
        try expectUsualBits(job) { command in
            let inner = "mount -t tmpfs -o \(options) none /dev/shm && exec \(command)"
            return "exec unshare --user --map-root-user --mount bash -c \(Self.quoted(inner))"
        }
    }

    @Test(arguments: ["<&- >&- 2>&-", ">/dev/full 2>/dev/full", "<&- 2>&1 | true"])
    func `standard streams that are closed or full`(redirection: String) throws {
        try expectUsualBits(job) { "set -o pipefail; \($0) \(redirection)" }
    }
}
