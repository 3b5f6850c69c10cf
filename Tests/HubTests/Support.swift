internal import Foundation
internal import Hub
internal import Synchronization
internal import Testing

/// The repository that these tests are part of.
let repository = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL

/// A fresh folder, removed with its last user.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "apus-hub-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    func write(_ name: String, _ contents: Data) throws {
        let url = URL(filePath: path).appending(path: name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try contents.write(to: url)
    }

    func write(_ name: String, _ text: String) throws { try write(name, Data(text.utf8)) }

    func text(_ name: String) throws -> String { try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8) }

    /// Every file and link below a folder, in order.
    func names(below name: String = "") -> [String] {
        (FileManager.default.enumerator(atPath: "\(path)/\(name)")?.allObjects ?? []).compactMap { $0 as? String }
            .sorted()
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A local hub with one model, `org/tiny`, and an empty cache.
final class LocalHub {
    let folder: TemporaryFolder
    let port: Int
    private let process = Process()
    private let input = Pipe()
    private let waited = Mutex<[Int]>([])
    private let said = Mutex<[String]>([])

    /// Pauses that were asked for; nothing waits.
    var pauses: [Int] { waited.withLock { $0 } }
    /// Lines for people.
    var lines: [String] { said.withLock { $0 } }

    /// Of some hundred kilobytes, so that a connection can break in its middle.
    static let weights = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })

    /// - Parameter faults: JSON, as `hub_server.py` takes it; `HOST` becomes the server's own address.
    init(_ faults: String = "{}", files: [String: Data] = [:]) throws {
        folder = try TemporaryFolder()
        let model = ["config.json": Data("{}".utf8), "vocab.txt": Data("[PAD]\n".utf8)]
            .merging(files.isEmpty ? ["model.safetensors": Self.weights] : files) { $1 }
        for (name, contents) in model { try folder.write("models/org/tiny/\(name)", contents) }
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "python3", repository.appending(path: "Tests/Fixtures/hub/hub_server.py").path, "\(folder.path)/models",
            faults,
        ]
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        port = try #require(Int(line.trimmingCharacters(in: .whitespacesAndNewlines)), "the server did not start")
    }

    deinit {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    var endpoint: String { "http://127.0.0.1:\(port)" }
    var cache: String { "\(folder.path)/cache" }

    func hub(token: String? = nil, _ environment: [String: String] = [:]) throws -> ModelHub {
        let usual = ["HF_ENDPOINT": endpoint, "HF_HUB_CACHE": cache, "HF_HOME": "\(folder.path)/home"]
        let settings = try HubSettings(environment: usual.merging(environment) { $1 }, token: token)
        return ModelHub(
            settings, watch: DownloadWatch(says: { line in self.said.withLock { $0.append(line) } }),
            wait: { seconds in self.waited.withLock { $0.append(seconds) } })
    }

    /// The folder of `org/tiny`, downloaded.
    @discardableResult
    func get(_ name: String = "org/tiny", token: String? = nil) throws -> String {
        try hub(token: token).folder(try #require(ModelName(name)))
    }

    struct Request: Decodable, Equatable {
        var method: String
        var path: String
        var query: String
        var host: String
        var authorization: String?
        var range: String?
    }

    var requests: [Request] {
        get throws {
            guard FileManager.default.fileExists(atPath: "\(folder.path)/models/requests.jsonl") else { return [] }
            return try folder.text("models/requests.jsonl").split(separator: "\n").map {
                try JSONDecoder().decode(Request.self, from: Data($0.utf8))
            }
        }
    }

    /// What the cache holds of models: no lock files, no folders that are empty.
    var cached: [String] {
        folder.names(below: "cache").filter { name in
            var isFolder: ObjCBool = false
            let exists = unsafe FileManager.default.fileExists(atPath: "\(cache)/\(name)", isDirectory: &isFolder)
            return !name.hasPrefix(".locks") && !(exists && isFolder.boolValue)
        }
    }
}

/// The error of a model that cannot be had: one line with these words.
func expectRefused(_ words: String..., location: SourceLocation = #_sourceLocation, _ body: () throws -> Void) {
    let error = #expect(throws: HubError.self, sourceLocation: location) { try body() }
    let line = error?.description ?? ""
    for word in words { #expect(line.contains(word), "\(line)", sourceLocation: location) }
    #expect(!line.contains("\n"), sourceLocation: location)
}
