internal import Foundation
internal import Testing

@testable internal import Hub

/// Heads of answers, pauses and what curl is told.
@Suite struct AnswerTests {
    @Test(arguments: [1, 3, 1_000]) func `heads are cut from any chunks`(size: Int) {
        var reader = ResponseHeadReader()
        let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/2 206 \r\nContent-Range: bytes 5-9/10\r\nX-A: b: c\r\n\r\nbody"
        var (found, rest): (ResponseHead?, [UInt8]) = (nil, [])
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: size) {
            let chunk = Array(bytes[start..<min(start + size, bytes.count)])
            if found != nil { rest += chunk; continue }
            if case .head(let head, let more) = reader.take(chunk) { (found, rest) = (head, more) }
        }
        #expect(found?.status == 206 && found?["x-a"] == "b: c")
        #expect(found?.range?.start == 5 && found?.range?.whole == 10)
        #expect(rest == Array("body".utf8))
    }

    @Test func `what is not a head is told apart from one that is not complete`() {
        var reader = ResponseHeadReader()
        #expect(reader.take(Array("HTTP/1.1 200 OK\r\n".utf8)) == .more)
        #expect(reader.take([UInt8](repeating: 65, count: ResponseHeadReader.limit)) == .malformed)
        var other = ResponseHeadReader()
        #expect(other.take(Array("SSH-2.0\r\n\r\n".utf8)) == .malformed)
    }

    @Test(arguments: [
        ["retry-after": "12"], ["ratelimit": "\"api\";r=0;t=12"],
        ["retry-after": "12", "ratelimit": "\"api\";r=0;t=3"],
    ])
    func `a server says how long to wait`(fields: [String: String]) {
        #expect(ResponseHead(status: 429, fields: fields).retryAfter == 12)
    }

    @Test func `patience ends`() {
        var patience = Patience()
        #expect((0..<5).map { _ in patience.pause(after: .broken(after: 9)) } == [1, 2, 4, 8, nil])
        var other = Patience()
        #expect((0..<100).allSatisfy { _ in other.pause(after: .broken(after: 2 << 20)) == 0 })
        #expect(other.pause(after: .busy(seconds: 30)) == 30)
        #expect(other.pause(after: .busy(seconds: 1_000)) == nil)
        #expect(other.pause(after: .busy(seconds: 0)) == 1)
    }

    @Test func `curl is told on its input, and cannot be told more by an address`() throws {
        let address = try #require(HubAddress("https://hub.example/a?b=c"))
        let configuration = CurlConfiguration(method: .get, address: address, token: "hf_x", start: 7)
        #expect(configuration.text.contains("header = \"Authorization: Bearer hf_x\"\n"))
        #expect(configuration.text.contains("header = \"Range: bytes=7-\"\n"))
        #expect(CurlConfiguration.arguments.allSatisfy { !$0.contains("hf_x") })
        for wrong in ["https://x/\"\noutput = y", "https://x/a b", "https://x/\u{e4}", "https://x/\\", "//x/y", "x"] {
            #expect(HubAddress(wrong) == nil)
        }
        #expect(address.shown == "https://hub.example/a")
        #expect(HubAddress("https://X.example:443/")?.origin == HubAddress("https://x.example/y")?.origin)
        #expect(HubAddress("https://x.example/")?.origin != HubAddress("http://x.example/")?.origin)
    }
}
