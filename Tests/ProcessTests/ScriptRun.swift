internal import Foundation

/// The repository that these tests are part of.
let repository = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL

/// One run of a shell script, to its end.
struct ScriptRun {
    let status: Int32
    /// All that it printed, on either stream.
    let text: String

    init(_ script: URL, _ arguments: [String] = [], environment: [String: String], from folder: URL = repository) throws
    {
        try self.init([script.path] + arguments, environment, folder)
    }

    /// Runs a command as a user would type it.
    init(shell command: String, from folder: URL = repository) throws {
        try self.init(["-c", command], testEnvironment, folder)
    }

    private init(_ arguments: [String], _ environment: [String: String], _ folder: URL) throws {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = arguments
        process.environment = environment
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let printed = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        status = process.terminationStatus
        text = String(decoding: printed, as: UTF8.self)
    }
}

/// A folder of programs that answer as told and can write down how they were called; removed in the end.
final class StandIns {
    let folder: URL

    /// The line with which a program writes down its name and arguments.
    var record: String { "echo \"${0##*/} $*\" >>'\(folder.path)/calls'" }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "apus scripts \(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Adds a program at `path` below the folder; `body` is in bash.
    func add(_ path: String, _ body: String) throws {
        let file = folder.appending(path: path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try "#!/bin/bash\n\(body)\n".write(to: file, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
    }

    /// The calls written down so far, in order.
    func calls() throws -> [String] {
        let file = folder.appending(path: "calls")
        guard FileManager.default.fileExists(atPath: file.path) else { return [] }
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
    }
}
