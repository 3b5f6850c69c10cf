import Foundation
import Testing

/// Run folders that earlier builds left when they were killed: each build of the same arithmetic takes them to the same
/// end.
@Suite struct OlderRunTests {
    @Test(arguments: ["journal", "lora", "two-tasks", "frozen"])
    func `a run that an earlier build began goes on to its recorded weights`(name: String) throws {
        let folder = try ScratchFolder()
        let fixtures = repository.appending(path: "Tests/Fixtures/interrupted")
        let recorded = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: fixtures.appending(path: "digests.json")))
                as? [String: String])
        for item in ["model", "train.tsv", "second.tsv", name] {
            try FileManager.default.copyItem(at: fixtures.appending(path: item), to: folder.url(item))
        }
        let saved = folder.url("\(name)/config.yaml")
        let options = try String(contentsOf: saved, encoding: .utf8).replacing(
            "/tmp/apus-runs", with: folder.url(".").path)
        try Data(options.utf8).write(to: saved)
        let run = try ApusProcess(
            "launch", "--workers", "1", "--threads", "1", "--resume", "--output", folder.url(name).path)
        #expect(run.status == 0, "\(run.complaint)")
        let summary = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: folder.url("\(name)/summary.json")))
                as? [String: Any])
        #expect(summary["parameters_sha256"] as? String == recorded[name])
    }
}
