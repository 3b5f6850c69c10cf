import Foundation
import Testing

/// The built program, run to its end.
struct ApusProcess {
    let status: Int32
    let output: String
    let complaint: String

    /// Runs `apus` with bytes on its standard input; an end that does not come within a minute is a failure.
    init(_ arguments: String..., input: String = "", environment: [String: String] = [:]) throws {
        try self.init(arguments, input: input, environment: environment)
    }

    init(_ arguments: [String], input: String = "", environment: [String: String] = [:]) throws {
        let folder = try ScratchFolder()
        try Data(input.utf8).write(to: folder.url("input"))
        for name in ["output", "complaint"] { try Data().write(to: folder.url(name)) }
        let process = Process()
        process.executableURL = Self.executable
        process.arguments = arguments
        process.environment = testEnvironment.merging(environment) { $1 }
        process.standardInput = try FileHandle(forReadingFrom: folder.url("input"))
        process.standardOutput = try FileHandle(forWritingTo: folder.url("output"))
        process.standardError = try FileHandle(forWritingTo: folder.url("complaint"))
        let ended = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in ended.signal() }
        try process.run()
        if ended.wait(timeout: .now() + 60) == .timedOut {
            process.terminate()
            Issue.record("apus \(arguments.joined(separator: " ")) did not end within a minute")
            ended.wait()
        }
        status = process.terminationStatus
        output = try String(contentsOf: folder.url("output"), encoding: .utf8)
        complaint = try String(contentsOf: folder.url("complaint"), encoding: .utf8)
    }

    /// The program that `APUS_TEST_PROGRAM` names, or the one built with these tests.
    static let executable: URL =
        if let named = ProcessInfo.processInfo.environment["APUS_TEST_PROGRAM"] {
            URL(filePath: named, relativeTo: repository).absoluteURL
        } else {
            builtBeside("apus")
        }

    /// A program that was built with these tests, whatever the build folder and configuration.
    static func builtBeside(_ name: String) -> URL {
        let tests = Bundle.allBundles.map(\.bundleURL) + [Bundle.main.bundleURL]
        let folders = tests.flatMap { [$0, $0.deletingLastPathComponent()] }
        return folders.map { $0.appendingPathComponent(name) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
            ?? Bundle.main.bundleURL.appendingPathComponent(name)
    }
}

/// This process's environment without variables that would affect a test: settings of kernels, jobs and keys.
let testEnvironment = ProcessInfo.processInfo.environment.filter { variable in
    !["OPENBLAS_", "OMP_", "SLURM_", "MASTER_", "APUS_"].contains { variable.key.hasPrefix($0) }
}

/// A fresh folder, removed with its last user.
final class ScratchFolder {
    private let root: URL

    /// - Parameter name: what its name ends with.
    init(_ name: String? = nil) throws {
        let own = "apus-process-\(UUID().uuidString)" + (name.map { " " + $0 } ?? "")
        root = FileManager.default.temporaryDirectory.appendingPathComponent(own)
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: false)
    }

    func url(_ name: String) -> URL { root.appendingPathComponent(name) }

    var path: String { root.path }

    deinit { try? FileManager.default.removeItem(at: root) }
}
