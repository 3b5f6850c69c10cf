internal import Foundation
internal import Testing

@testable internal import Hub

/// Names from outside, before they are paths or addresses.
@Suite struct ModelNameTests {
    @Test(arguments: [
        ("google-bert/bert-base-uncased", "google-bert/bert-base-uncased", "main"),
        ("bert-base-uncased", "bert-base-uncased", "main"), ("a/b@v1.0", "a/b", "v1.0"),
        ("a/b@refs/pr/1", "a/b", "refs/pr/1"), ("_a/b_.c", "_a/b_.c", "main"),
    ])
    func `names and revisions`(text: String, repository: String, revision: String) throws {
        let name = try #require(ModelName(text))
        #expect(name.repository == repository && name.revision == revision)
        #expect(name.description == text)
        #expect(ModelName(folder: name.folder)?.repository == repository)
    }

    @Test(arguments: [
        "", "/", "a/", "/a", "a/b/c", "..", "../a", "a/..", "a..b", "a--b", "a/b--c", ".a", "a.", "-a", "a-", "a b",
        "a\nb",
        "a\0b", "a/b.git", "ä", "a%2Fb", "~/a", "a:b", String(repeating: "a", count: 97), "a@", "a@..", "a@b..c",
        "a@/b",
        "a@b//c", "a@.b", "a@-b", "a@b c", "a@b\0", "a@b@c", "a@b%2F", "a?b", "a#b",
    ])
    func `what is not a name`(text: String) { #expect(ModelName(text) == nil) }

    @Test(arguments: ["datasets--a--b", "models--", "models--a--b--c", "models--..", "blobs"])
    func `folders that are not a model's`(folder: String) { #expect(ModelName(folder: folder) == nil) }

    @Test func `commits and hashes have their length and small letters`() {
        let digits = "0123456789abcdef0123456789abcdef01234567"
        #expect(Commit(digits)?.digits == digits)
        #expect(Commit(digits.uppercased()) == nil && Commit(digits + "0") == nil && Commit("main") == nil)
        #expect(BlobHash(tag: "\"\(digits)\"")?.digits == digits)
        #expect(BlobHash(tag: "W/\"\(digits)\"")?.digits == digits)
        #expect(BlobHash(digits + digits) == nil && BlobHash(digits + "/" + digits.dropLast(17)) == nil)
    }

    @Test func `the folder of a snapshot names its model`() {
        let commit = "86b5e0934494bd15c9632b12f734a8a67f723594"
        let snapshot = HubSnapshot(path: "/x/models--google-bert--bert-base-uncased/snapshots/\(commit)")
        #expect(snapshot?.name.repository == "google-bert/bert-base-uncased" && snapshot?.commit.digits == commit)
        #expect(HubSnapshot(path: "/x/models--bert/snapshots/\(commit)")?.name.shortName == "bert")
        #expect(HubSnapshot(path: "/x/models--bert/snapshots/main") == nil)
        #expect(HubSnapshot(path: "/home/a/models/bert") == nil)
    }

    @Test func `settings follow Python's variables`() throws {
        func cache(_ environment: [String: String]) throws -> String {
            try HubSettings(environment: environment, token: nil).cache
        }
        #expect(try cache(["HOME": "/h"]) == "/h/.cache/huggingface/hub")
        #expect(try cache(["HOME": "/h", "XDG_CACHE_HOME": "/x"]) == "/x/huggingface/hub")
        #expect(try cache(["HOME": "/h", "HF_HOME": "~/f"]) == "/h/f/hub")
        #expect(try cache(["HF_HOME": "/f", "HUGGINGFACE_HUB_CACHE": "/c"]) == "/c")
        #expect(try cache(["HF_HUB_CACHE": "/d", "HUGGINGFACE_HUB_CACHE": "/c"]) == "/d")
        #expect(try HubSettings(environment: ["HF_HUB_OFFLINE": "true"], token: nil).isOffline)
        #expect(try !HubSettings(environment: ["HF_HUB_OFFLINE": "0"], token: nil).isOffline)
        #expect(
            try HubSettings(environment: ["HF_ENDPOINT": "http://x:8/y/"], token: nil).endpoint.text == "http://x:8/y")
        for wrong in ["huggingface.co", "ftp://x", "http://", "http://a:b@x", "http://x?y", "http://x y"] {
            #expect(throws: HubError.self, "\(wrong)") {
                try HubSettings(environment: ["HF_ENDPOINT": wrong], token: nil)
            }
        }
    }

    @Test func `a token of several lines is refused and not shown`() throws {
        let settings = try HubSettings(environment: [:], token: "hf_a\"\nurl = x")
        let error = #expect(throws: HubError.self) { try settings.token() }
        #expect(error?.description.contains("hf_a") == false)
    }
}
