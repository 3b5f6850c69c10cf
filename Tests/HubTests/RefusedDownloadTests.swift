internal import Foundation
internal import Testing

@testable internal import Hub

/// What is not to be had, or not to be trusted: one line, and nothing of it in the cache.
@Suite struct RefusedDownloadTests {
    /// Faults of the server and the words of the line.
    struct Case: Sendable, CustomTestStringConvertible {
        let faults: String
        let words: [String]
        var testDescription: String { faults }
        init(_ faults: String, _ words: String...) { (self.faults, self.words) = (faults, words) }
    }

    @Test(arguments: [
        Case(#"{"private": ["org/tiny"], "token": "x"}"#, "not on 127.0.0.1", "private", "set HF_TOKEN"),
        Case(#"{"gated": ["org/tiny"], "token": "x"}"#, "asks for consent", "HF_TOKEN"),
        Case(#"{"status": {"config.json": [403]}}"#, "does not let", "HF_TOKEN"),
        Case(#"{"status": {"config.json": [404]}}"#, "org/tiny is not on 127.0.0.1"),
        Case(#"{"status": {"config.json": [418]}}"#, "status 418"),
        Case(#"{"status": {"config.json": [429]}, "retry_after": 9999}"#, "too many requests", "9999 s"),
        Case(#"{"status": {"config.json": [500, 500, 500, 500, 500]}}"#, "status 500", "try later"),
        Case(#"{"no_commit": true}"#, "without X-Repo-Commit"),
        Case(#"{"etag": {"config.json": "../../../../etc/passwd"}}"#, "config.json", "gives no hash"),
        Case(#"{"etag": {"config.json": "9E26DFEEB6E641A33DAE4961196235BDB965B21B"}}"#, "gives no hash"),
        Case(#"{"etag": {"config.json": "W/short"}}"#, "gives no hash"),
        Case(#"{"contents": {"config.json": "[]"}}"#, "config.json", "other contents than announced"),
        Case(#"{"contents": {"config.json": "longer"}, "size": {"config.json": 3}}"#, "has 6 bytes, 3 were announced"),
        Case(#"{"endless": ["config.json"]}"#, "config.json", "sends more than the 2 bytes"),
        Case(#"{"endless": ["config.json"], "size": {"config.json": "x"}}"#, "sends more than the"),
        Case(#"{"size": {"config.json": 999999999}}"#, "999999999 bytes, at most 8388608 are read"),
        Case(#"{"location": {"config.json": "file:///etc/passwd"}}"#, "not an address of http or https"),
        Case(#"{"location": {"config.json": "http://user:pw@127.0.0.1/"}}"#, "not an address of http or https"),
        Case(#"{"location": {"config.json": "/org/tiny/resolve/main/config.json"}}"#, "more than 5 redirects"),
    ])
    func `nothing of it is in the cache`(fault: Case) throws {
        let hub = try LocalHub(fault.faults)
        let error = #expect(throws: HubError.self) { try hub.get() }
        let line = error?.description ?? ""
        for word in fault.words { #expect(line.contains(word), "\(line)") }
        #expect(hub.cached.isEmpty, "\(hub.cached)")
        #expect(!FileManager.default.fileExists(atPath: "\(hub.cache)/models--org--tiny"))
    }

    @Test(arguments: [
        Case(#"{"contents": {"model.safetensors": "evil"}, "size": {"model.safetensors": 4}}"#, "other contents"),
        Case(#"{"endless": ["model.safetensors"]}"#, "sends more than the 300000 bytes"),
        Case(#"{"size": {"model.safetensors": "x"}}"#, "does not say how long"),
        Case(#"{"size": {"model.safetensors": 999999999999999}}"#, "needs", "make room"),
        Case(#"{"etag": {"model.safetensors": "0"}}"#, "gives no hash"),
    ])
    func `weights that are not to be trusted leave no weights`(fault: Case) throws {
        let hub = try LocalHub(fault.faults)
        let error = #expect(throws: HubError.self) { try hub.get() }
        let line = error?.description ?? ""
        for word in fault.words { #expect(line.contains(word), "\(line)") }
        #expect(!hub.cached.contains { $0.contains("incomplete") || $0.hasSuffix("model.safetensors") })
        #expect(!hub.cached.contains { $0.contains("/refs/") })
    }

    @Test(arguments: [
        "../../../home/user/.bashrc", "/etc/passwd", "a/b.safetensors", "..", "model\\u0000.safetensors",
        "model.safetensors\\n", ".hidden.safetensors", "model.bin", "a..safetensors", "",
    ])
    func `a shard's name from outside is not a path`(name: String) throws {
        let hub = try LocalHub(files: [
            "model.safetensors.index.json": Data(#"{"weight_map": {"a": "\#(name)"}}"#.utf8)
        ])
        expectRefused("names the file", "do not use this repository") { try hub.get() }
        #expect(try !hub.requests.contains { $0.path.contains("bashrc") || $0.path.contains("etc") })
    }

    @Test(arguments: [
        Case(#"{"private": ["org/tiny"], "token": "hf_right"}"#, "the token may not read it"),
        Case(#"{"gated": ["org/tiny"], "token": "hf_right"}"#, "use the token of that account"),
        Case(#"{"status": {"config.json": [403]}}"#, "does not let this token read"),
    ])
    func `a token that does not open the model is not shown`(fault: Case) throws {
        let hub = try LocalHub(fault.faults)
        let error = #expect(throws: HubError.self) { try hub.get(token: "hf_wrong") }
        let line = error?.description ?? ""
        #expect(line.contains(fault.words[0]) && !line.contains("hf_wrong"), "\(line)")
        #expect(hub.cached.isEmpty)
    }

    @Test func `a pickle is named and not asked for`() throws {
        let hub = try LocalHub(files: ["pytorch_model.bin": Data("code".utf8)])
        expectRefused("pytorch_model.bin", "can hold code") { try hub.get() }
        #expect(try !hub.requests.contains { $0.method == "GET" && $0.path.contains("pytorch_model.bin") })
    }

    @Test func `a model without a tokenizer is refused before its weights`() throws {
        let hub = try LocalHub(#"{"status": {"vocab.txt": [404]}}"#)
        expectRefused("vocab.txt or tokenizer.json") { try hub.get() }
        #expect(try !hub.requests.contains { $0.path.contains("model.safetensors") })
    }

    @Test func `a configuration that is refused ends it before the weights`() throws {
        struct NotThis: Error {}
        let hub = try LocalHub()
        #expect(throws: NotThis.self) {
            _ = try hub.hub().folder(#require(ModelName("org/tiny"))) { _ in throw NotThis() }
        }
        #expect(try !hub.requests.contains { $0.path.contains("model.safetensors") })
    }

    @Test func `nobody at the address`() throws {
        let hub = try LocalHub()
        expectRefused("cannot be reached") {
            _ = try hub.hub(["HF_ENDPOINT": "http://127.0.0.1:9"]).folder(#require(ModelName("org/tiny")))
        }
        #expect(hub.pauses.isEmpty)
    }

    @Test func `a redirect to another host takes no token along, one from https to http is refused`() throws {
        let address = try #require(HubAddress("https://hub.example/a/b"))
        #expect(throws: HubError.self) { try address.redirected(to: "http://hub.example/c") }
        #expect(try address.redirected(to: "/c").origin == address.origin)
        #expect(try address.redirected(to: "https://hub.example:444/c").origin != address.origin)
    }

    @Test func `a cache that cannot be written says so`() throws {
        let hub = try LocalHub()
        try hub.folder.write("file", "")
        expectRefused("file", "HF_HUB_CACHE") {
            _ = try hub.hub(["HF_HUB_CACHE": "\(hub.folder.path)/file/cache"]).folder(#require(ModelName("org/tiny")))
        }
    }

    @Test func `a model's folder that is a link out of the cache is not written`() throws {
        let hub = try LocalHub()
        try hub.folder.write("elsewhere/keep", "")
        try hub.folder.write("cache/keep", "")
        try FileManager.default.createSymbolicLink(
            atPath: "\(hub.cache)/models--org--tiny", withDestinationPath: "\(hub.folder.path)/elsewhere")
        expectRefused("leads out of the cache") { try hub.get() }
    }
}
