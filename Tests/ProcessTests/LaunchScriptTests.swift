internal import Foundation
internal import Testing

/// Runs a copy of launch.sh in a folder where set-up, fetch, Swift and the program are stand-ins that write down their
/// calls.
@Suite struct LaunchScriptTests {
    @Test func withoutArgumentsItFetchesModelAndData() throws {
        let project = try Project()
        #expect(try project.launch([]).status == 7)
        #expect(
            try project.calls() == [
                "setup.sh ",
                "swift build --package-path \(project.path) --no-color-diagnostics -c release --product apus",
                "fetch.sh model data",
                "apus launch",
            ])
    }

    @Test(arguments: [
        (["--model", "m"], ["fetch.sh data"]), (["--train=t"], ["fetch.sh model"]),
        (["--model", "m", "--train", "t"], []),
        (["--help"], []), (["--resume", "--output", "o"], []), (["--config", "own.yaml"], ["fetch.sh data"]),
        (["--config=none.yaml"], ["fetch.sh model data"]),
    ])
    func itFetchesOnlyWhatIsNotNamed(arguments: [String], fetched: [String]) throws {
        let project = try Project()
        try "training: x\nmodel: m\n".write(
            to: project.caller.appending(path: "own.yaml"), atomically: true, encoding: .utf8)
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
        #expect(
            try project.calls().contains(
                "swift build --package-path \(project.path) --no-color-diagnostics -c debug --product apus"))
    }

    @Test(arguments: [true, false])
    func aBuildIsAnnouncedWheneverOneHappens(built: Bool) throws {
        let project = try Project(built: built)
        try project.files.add(
            "bin/swift",
            "echo '[0/1] Planning build'; echo '[1/3] Compiling Tensors a.swift'; echo '[3/3] Linking apus'")
        let text = try project.launch([]).text
        #expect(text.hasPrefix("Building Apus ("))
        #expect(text.split(separator: "\n").count { $0.contains("Building Apus") } == 1)
        #expect(!text.contains("Compiling"))
    }

    @Test func whatTheCompilerSaysIsShownWhenItFails() throws {
        let project = try Project()
        try project.files.add(
            "bin/swift", "echo '[1/3] Compiling Tensors a.swift'; echo 'a.swift:1:1: error: no such thing'; exit 1")
        let run = try project.launch([])
        #expect(run.status == 1)
        #expect(run.text.contains("a.swift:1:1: error: no such thing"))
        #expect(!run.text.contains("<launch>"))
    }

    /// SwiftPM compiles everything again when its flags change, which by itself they do between a terminal and a pipe.
    @Test func everyScriptBuildsWithTheSameFlagsOnATerminalAndInAPipe() throws {
        for folder in ["", "scripts", "Benchmarks", ".ci"] {
            let place = repository.appending(path: folder)
            for name in try FileManager.default.contentsOfDirectory(atPath: place.path) {
                guard let text = try? String(contentsOf: place.appending(path: name), encoding: .utf8),
                    text.hasPrefix("#!/usr/bin/env bash")
                else { continue }
                for line in text.split(separator: "\n") where line.contains(#/^[^#'"]*\bswift (build|test) /#) {
                    #expect(line.contains("--no-color-diagnostics"), "\(folder)/\(name): \(line)")
                }
            }
        }
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
        let scripts = tree.appending(path: "scripts")
        try FileManager.default.createDirectory(at: scripts, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            at: repository.appending(path: "scripts/build.sh"), to: scripts.appending(path: "build.sh"))
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
