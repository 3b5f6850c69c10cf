internal import Foundation
internal import Testing

/// Runs a copy of launch.sh in a folder where set-up, fetch, Swift and the program are stand-ins that write down their calls.
@Suite struct LaunchScriptTests {
    @Test func withoutArgumentsItFetchesModelAndData() throws {
        let project = try Project()
        #expect(try project.launch([]).status == 7)
        #expect(
            try project.calls() == [
                "setup.sh ", "swift build --package-path \(project.path) -c release --product apus --quiet", "fetch.sh model data",
                "apus launch",
            ])
    }

    @Test(arguments: [
        (["--model", "m"], ["fetch.sh data"]), (["--train=t"], ["fetch.sh model"]), (["--model", "m", "--train", "t"], []),
        (["--help"], []), (["--resume", "--output", "o"], []), (["--config", "own.yaml"], ["fetch.sh data"]),
        (["--config=none.yaml"], ["fetch.sh model data"]),
    ])
    func itFetchesOnlyWhatIsNotNamed(arguments: [String], fetched: [String]) throws {
        let project = try Project()
        try "train-file: x\nmodel: m\n".write(to: project.caller.appending(path: "own.yaml"), atomically: true, encoding: .utf8)
        #expect(try project.launch(arguments).status == 7)
        #expect(try project.calls().filter { $0.hasPrefix("fetch") } == fetched)
    }

    @Test func argumentsAndFolderReachTheProgramAsTheyAre() throws {
        let project = try Project()
        let run = try project.launch(["--", "--output", "a  b", ""])
        #expect(run.status == 7)
        #expect(run.text == "<launch><--><--output><a  b><> in \(project.caller.path)\n")
    }

    @Test func debugBuildsAndRunsTheDebugProgram() throws {
        let project = try Project()
        #expect(try project.launch(["--debug", "--single"]).status == 8)
        #expect(try project.calls().contains("swift build --package-path \(project.path) -c debug --product apus --quiet"))
    }

    @Test func aFirstBuildIsAnnounced() throws {
        let project = try Project(built: false)
        #expect(try project.launch([]).text.hasPrefix("Building Apus (first time: about a minute)\n"))
    }

    @Test func whenSetUpFailsNothingElseIsCalled() throws {
        let project = try Project()
        try project.files.add("tree/scripts/setup.sh", "exit 2")
        #expect(try project.launch([]).status == 2)
        #expect(try project.calls().isEmpty)
    }

    @Test func withoutAHomeTheUsersOwnIsTaken() throws {
        let project = try Project()
        try project.files.add("tree/scripts/fetch.sh", "echo \"home $HOME\"")
        let home = try #require(NSHomeDirectoryForUser(NSUserName()))
        #expect(try project.launch([]).text.hasPrefix("home \(home)\n"))
    }
}

/// A copy of launch.sh among stand-ins; the program ends with status 7, its debug build with 8.
struct Project {
    let files: StandIns
    /// The folder that launch.sh is called in.
    let caller: URL

    var path: String { files.folder.appending(path: "tree").path }

    init(built: Bool = true) throws {
        files = try StandIns()
        caller = files.folder.appending(path: "caller")
        try FileManager.default.createDirectory(at: caller, withIntermediateDirectories: true)
        let tree = files.folder.appending(path: "tree")
        try FileManager.default.createDirectory(at: tree.appending(path: "Sources"), withIntermediateDirectories: true)
        for name in ["launch.sh", "Package.swift"] {
            try FileManager.default.copyItem(at: repository.appending(path: name), to: tree.appending(path: name))
        }
        for script in ["setup.sh", "fetch.sh"] { try files.add("tree/scripts/\(script)", files.record) }
        try files.add("bin/swift", files.record)
        guard built else { return }
        let say = "printf '<%s>' \"$@\"; echo \" in $PWD\""
        try files.add("tree/.build/release/apus", "\(files.record)\n\(say)\nexit 7")
        try files.add("tree/.build/debug/apus", "\(files.record)\n\(say)\nexit 8")
    }

    func calls() throws -> [String] { try files.calls() }

    func launch(_ arguments: [String]) throws -> ScriptRun {
        let path = files.folder.appending(path: "bin").path + ":/usr/bin:/bin"
        let script = files.folder.appending(path: "tree/launch.sh")
        return try ScriptRun(script, arguments, environment: ["PATH": path], from: caller)
    }
}
