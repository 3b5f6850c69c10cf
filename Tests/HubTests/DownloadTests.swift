internal import Files
internal import Foundation
internal import Testing

@testable internal import Hub

/// Models from a hub at a local address, which answers as the public one does.
@Suite struct DownloadTests {
    @Test func `a model lies in the cache as Python lays it out`() throws {
        let hub = try LocalHub()
        let path = try hub.get()
        let snapshot = try #require(HubSnapshot(path: path))
        #expect(snapshot.name.repository == "org/tiny")
        let model = "\(hub.cache)/models--org--tiny"
        #expect(path == "\(model)/snapshots/\(snapshot.commit.digits)")
        #expect(try String(contentsOfFile: "\(model)/refs/main", encoding: .utf8) == snapshot.commit.digits)
        let link = try FileManager.default.destinationOfSymbolicLink(atPath: "\(path)/model.safetensors")
        #expect(link.hasPrefix("../../blobs/") && link.count == 12 + 64)
        let small = try FileManager.default.destinationOfSymbolicLink(atPath: "\(path)/config.json")
        #expect(small == "../../blobs/9e26dfeeb6e641a33dae4961196235bdb965b21b")  // git hash-object of {}
        #expect(try Data(contentsOf: URL(filePath: "\(path)/model.safetensors")) == LocalHub.weights)
        #expect(hub.cached.count == 3 + 3 + 1, "\(hub.cached)")
    }

    @Test func `what is in the cache needs no network`() throws {
        let hub = try LocalHub()
        let path = try hub.get()
        let asked = try hub.requests.count
        #expect(try hub.get() == path)
        #expect(try hub.hub(["HF_HUB_OFFLINE": "1"]).folder(#require(ModelName("org/tiny"))) == path)
        #expect(try hub.requests.count == asked)
    }

    @Test func `a hub that is asked all the same is asked for no contents that are there`() throws {
        let hub = try LocalHub()
        let path = try hub.get()
        let before = try hub.requests.count
        #expect(try hub.hub().folder(#require(ModelName("org/tiny")), asksHub: true) == path)
        #expect(try hub.requests.dropFirst(before).allSatisfy { $0.method == "HEAD" })
    }

    @Test(arguments: ["v1.0", "refs/pr/1", "0123456789012345678901234567890123456789"])
    func `another revision has its own commit`(revision: String) throws {
        let hub = try LocalHub()
        if revision == "v1.0" {
            try hub.folder.write("models/org/tiny@v1.0/config.json", "{\"a\": 1}")
            try hub.folder.write("models/org/tiny@v1.0/vocab.txt", "x\n")
            try hub.folder.write("models/org/tiny@v1.0/model.safetensors", LocalHub.weights)
            let path = try hub.get("org/tiny@v1.0")
            #expect(try String(contentsOfFile: path + "/config.json", encoding: .utf8) == "{\"a\": 1}")
            let commit = try #require(HubSnapshot(path: path)).commit
            #expect(try hub.folder.text("cache/models--org--tiny/refs/v1.0") == commit.digits)
            #expect(try hub.get("org/tiny@\(commit.digits)") == path)
            // The same weights are one blob.
            _ = try hub.get()
            #expect(hub.cached.filter { $0.contains("/blobs/") }.count == 5)
        } else {
            expectRefused("org/tiny", "has no revision '\(revision)'") { try hub.get("org/tiny@\(revision)") }
            #expect(hub.cached.isEmpty)
        }
    }

    @Test func `weights in shards come with their index`() throws {
        let index = #"{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}"#
        let hub = try LocalHub(files: [
            "model.safetensors.index.json": Data(index.utf8), "model-1.safetensors": Data("one".utf8),
            "model-2.safetensors": Data("two".utf8), "pytorch_model.bin": Data("code".utf8),
        ])
        let path = try hub.get()
        #expect(try String(contentsOfFile: path + "/model-2.safetensors", encoding: .utf8) == "two")
        #expect(!hub.cached.contains { $0.hasSuffix("pytorch_model.bin") })
    }

    @Test func `a name of old leads to the new one and keeps its own folder`() throws {
        let hub = try LocalHub(#"{"moved": {"tiny-of-old": "org/tiny"}}"#)
        let path = try hub.get("tiny-of-old")
        #expect(path.contains("/models--tiny-of-old/snapshots/"))
    }

    /// Names of old that lead from one to the next, and the last to the model.
    private func moved(_ count: Int) -> String {
        let names = (0..<count).map { "\"old\($0)\": \"\($0 + 1 == count ? "org/tiny" : "old\($0 + 1)")\"" }
        return "{\"moved\": {\(names.joined(separator: ", "))}}"
    }

    @Test func `five redirects are followed and no sixth`() throws {
        // The weights' own is the last one.
        let hub = try LocalHub(moved(4))
        let path = try hub.get("old0")
        #expect(try Data(contentsOf: URL(filePath: "\(path)/model.safetensors")) == LocalHub.weights)
        let far = try LocalHub(moved(5))
        expectRefused("more than 5 redirects", "model.safetensors") { try far.get("old0") }
        #expect(!far.cached.contains { $0.hasSuffix("model.safetensors") || $0.contains("/refs/") })
    }

    @Test func `the token reaches the hub and nobody else`() throws {
        let hub = try LocalHub(#"{"private": ["org/tiny"], "token": "hf_right"}"#)
        try hub.get(token: "hf_right")
        let requests = try hub.requests
        let (own, others) = (
            requests.filter { $0.host.hasPrefix("127.0.0.1") }, requests.filter { !$0.host.hasPrefix("127.0.0.1") }
        )
        #expect(own.allSatisfy { $0.authorization == "Bearer hf_right" })
        #expect(others.count == 1 && others.allSatisfy { $0.authorization == nil && $0.query == "Signature=secret" })
        #expect(hub.lines.allSatisfy { !$0.contains("hf_right") && !$0.contains("secret") })
    }

    @Test func `the token file is read`() throws {
        let hub = try LocalHub(#"{"private": ["org/tiny"], "token": "hf_right"}"#)
        try hub.folder.write("home/token", "hf_right\n")
        try hub.get()
    }

    // MARK: What goes wrong on the way

    @Test func `a broken connection goes on where it broke`() throws {
        let hub = try LocalHub(#"{"cut": {"model.safetensors": [1000, 70000]}}"#)
        let path = try hub.get()
        #expect(try Data(contentsOf: URL(filePath: "\(path)/model.safetensors")) == LocalHub.weights)
        let ranges = try hub.requests.filter { $0.path.hasPrefix("/storage") }.map(\.range)
        #expect(ranges == [nil, "bytes=1000-", "bytes=71000-"])
    }

    @Test(arguments: ["no_range", "range_fails"])
    func `a server without ranges is read from the start`(fault: String) throws {
        let hub = try LocalHub(#"{"cut": {"model.safetensors": [1000]}, "\#(fault)": true}"#)
        let path = try hub.get()
        #expect(try Data(contentsOf: URL(filePath: "\(path)/model.safetensors")) == LocalHub.weights)
    }

    @Test func `a later attempt goes on with what an earlier one got`() throws {
        let hub = try LocalHub(#"{"cut": {"model.safetensors": [1000, 0, 0, 0, 0]}}"#)
        expectRefused("cannot be reached", "model.safetensors") { try hub.get() }
        #expect(hub.pauses == [1, 2, 4, 8])
        let before = try hub.requests.count
        try hub.get()
        let storage = try hub.requests.dropFirst(before).filter { $0.path.hasPrefix("/storage") }
        #expect(storage.map(\.range) == ["bytes=1000-"])
        #expect(!hub.cached.contains { $0.hasSuffix("incomplete") })
    }

    @Test func `remains that are not the file's are thrown away`() throws {
        let hub = try LocalHub()
        let hash = "models--org--tiny/blobs/\(try sha256(LocalHub.weights))"
        try hub.folder.write("cache/\(hash).apus.incomplete", Data(repeating: 7, count: 500))
        let path = try hub.get()
        #expect(try Data(contentsOf: URL(filePath: "\(path)/model.safetensors")) == LocalHub.weights)
    }

    @Test func `a link in place of remains is not followed`() throws {
        let hub = try LocalHub()
        let hash = "models--org--tiny/blobs/\(try sha256(LocalHub.weights))"
        try hub.folder.write("precious", "mine")
        try hub.folder.write("cache/models--org--tiny/blobs/.keep", "")
        try FileManager.default.createSymbolicLink(
            atPath: "\(hub.cache)/\(hash).apus.incomplete", withDestinationPath: "\(hub.folder.path)/precious")
        try hub.get()
        #expect(try hub.folder.text("precious") == "mine")
    }

    @Test func `a blob with other contents than its name is downloaded again`() throws {
        let hub = try LocalHub()
        let path = try hub.get()
        let blob = "\(hub.cache)/models--org--tiny/blobs/\(try sha256(LocalHub.weights))"
        try Data("damaged".utf8).write(to: URL(filePath: blob))
        expectRefused("HF_HUB_OFFLINE", "model.safetensors is damaged") {
            _ = try hub.hub(["HF_HUB_OFFLINE": "1"]).folder(#require(ModelName("org/tiny")))
        }
        try hub.get()
        #expect(try Data(contentsOf: URL(filePath: "\(path)/model.safetensors")) == LocalHub.weights)
    }

    @Test func `a busy hub is waited for as long as it asks`() throws {
        let hub = try LocalHub(#"{"status": {"config.json": [429, 503], "vocab.txt": [429]}, "retry_after": 7}"#)
        try hub.get()
        #expect(hub.pauses == [7, 7, 7])
    }

    private func sha256(_ data: Data) throws -> String {
        let folder = try TemporaryFolder()
        try folder.write("x", data)
        return try Digests.file("\(folder.path)/x")
    }
}
