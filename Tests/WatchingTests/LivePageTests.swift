import Foundation
import Testing
import WebServer

@testable import Files
@testable import Watching
@testable import Wording

/// The live page without sockets: who is let in, and what is told.
@Suite struct LivePageTests {
    private let token = WatchToken()

    private var page: LivePage { LivePage(title: "run </title><b>", token: token, hosts: ["lab-1"]) }

    private func answer(_ target: String, host: String? = "localhost:80", headers: [String] = []) throws
        -> HTTPResponse
    {
        let lines = ["GET \(target) HTTP/1.1"] + (host.map { ["Host: \($0)"] } ?? []) + headers
        guard case .whole(let request) = HTTPRequest.reading(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8))
        else { throw InputError("\(lines) is no request") }
        return page.answer(request)
    }

    @Test func `only the right token lets in, and health tells nothing`() throws {
        for path in ["/", "/events", "/metrics", "/other"] {
            #expect(try answer(path).status == .unauthorized)
            #expect(try answer("\(path)?token=").status == .forbidden)
            #expect(try answer("\(path)?token=\(token.text.dropLast())0g").status == .forbidden)
            #expect(try answer("\(path)?token=\(WatchToken().text)").status == .forbidden)
            #expect(try answer(path, headers: ["Authorization: Bearer \(WatchToken().text)"]).status == .forbidden)
            let expected: HTTPStatus = path == "/other" ? .notFound : .ok
            #expect(try answer("\(path)?token=\(token.text)").status == expected)
            #expect(try answer(path, headers: ["Authorization: Bearer \(token.text)"]).status == expected)
        }
        #expect(try answer("/health").body == Array("ok\n".utf8))
        #expect(token.text.count == 32 && WatchToken().text != token.text)
    }

    @Test func `no other token is the right one`() {
        #expect(token.isEqual(token.text))
        let others = (0..<5_000).map { _ in WatchToken().text }
        #expect(others.filter(token.isEqual) == [])
    }

    @Test func `a token that differs in one bit, or in its length, is a wrong one`() {
        let right = Array(token.text.utf8)
        for place in right.indices {
            // The eighth bit would make bytes that are not text.
            for bit in 0..<7 {
                var wrong = right
                wrong[place] ^= 1 << bit
                #expect(!token.isEqual(String(decoding: wrong, as: UTF8.self)), "bit \(bit) of byte \(place)")
            }
            // Two bits that cancel out in a sum.
            var swapped = right
            swapped.swapAt(place, (place + 1) % right.count)
            #expect(swapped == right || !token.isEqual(String(decoding: swapped, as: UTF8.self)))
            #expect(!token.isEqual(String(decoding: right[..<place], as: UTF8.self)))
            #expect(!token.isEqual(String(decoding: right[(place + 1)...], as: UTF8.self)))
        }
        for wrong in [token.text + "0", "0" + token.text, token.text + token.text, token.text.uppercased() + " "] {
            #expect(!token.isEqual(wrong))
        }
    }

    @Test(arguments: [
        ("localhost", true), ("LOCALHOST:8080", true), ("127.0.0.1:1", true), ("[::1]:8080", true), ("[::1]", true),
        ("lab-1:80", true), ("10.0.0.7:80", true), ("evil.example", false), ("localhost.evil.example:80", false),
        ("127.0.0.1.evil.example", false), ("127.0.0.256", false), ("1.2.3", false), ("localhost:", false),
        ("localhost:80:80", false), ("[evil]", false), ("", false),
    ])
    func `a page is asked for by a number or an own name`(_ host: String, _ isAllowed: Bool) throws {
        #expect(HostHeader.isAllowed(host, own: ["lab-1"]) == isAllowed)
        #expect(try answer("/?token=\(token.text)", host: host).status == (isAllowed ? .ok : .misdirected))
    }

    @Test func `a request without a host is refused`() throws {
        #expect(try answer("/health", host: nil).status == .misdirected)
    }

    @Test func `the policy of the page allows its own script, style and events`() throws {
        let response = try answer("/?token=\(token.text)")
        let policy = try #require(response.headers.first { $0.hasPrefix("Content-Security-Policy: ") })
        #expect(policy.contains("default-src 'none'; style-src 'sha256-") && policy.contains("script-src 'sha256-"))
        #expect(policy.contains("connect-src 'self'") && !policy.contains("unsafe") && !policy.contains("http"))
        let html = String(decoding: response.body, as: UTF8.self)
        #expect(html.contains("run &lt;/title&gt;&lt;b&gt;") && !html.contains(token.text))
    }

    @Test(arguments: [
        ("8080", "127.0.0.1", 8080), ("127.0.0.1:0", "127.0.0.1", 0), ("[::1]:80", "[::1]", 80), ("lab:9", "lab", 9),
    ])
    func `an address has a host and a port`(_ text: String, _ host: String, _ port: UInt16) throws {
        let address = try WatchAddress(text)
        #expect(address.host == host && address.port == port)
    }

    @Test(arguments: ["", ":", ":80", "host", "host:", "host:70000", "70000", "::1:80", "http://host:80", "-1"])
    func `anything else is refused`(_ text: String) {
        #expect(throws: InputError.self) { try WatchAddress(text) }
    }

    private func contents(_ steps: [Int], state: String = "running", more: [JSONValue.Member] = []) -> JSONValue {
        let columns = ["step", "loss"].map { name in
            JSONValue.Member(name, .array(steps.map { .number(name == "step" ? Double($0) : 1 / Double($0)) }))
        }
        let run = JSONValue.object([.init("name", .string("r")), .init("steps", .object(columns + more))])
        return .object([.init("runs", .array([run])), .init("live", .string(state))])
    }

    private func merged(_ contents: JSONValue, _ event: String) throws -> JSONValue {
        let lines = event.split(separator: "\n")
        let data = try JSONValue(parsing: Array(lines[1].dropFirst("data: ".count).utf8))
        guard lines[0] == "event: change" else { return data }
        var contents = contents
        for member in data.members ?? [] where member.key != "runs" { contents[member.key] = member.value }
        guard let change = data["runs"]?.array?.first, var run = contents["runs"]?.array?.first else { return contents }
        for member in change.members ?? [] {
            guard let from = member.value["from"]?.integer else {
                run[member.key] = member.value
                continue
            }
            var steps = try #require(run["steps"])
            for column in member.value["columns"]?.members ?? [] {
                steps[column.key] = .array(
                    Array((steps[column.key]?.array ?? []).prefix(from)) + (column.value.array ?? []))
            }
            run["steps"] = steps
        }
        contents["runs"] = .array([run])
        return contents
    }

    @Test func `readers that take over each change have what there is`() throws {
        var feed = LiveFeed(contents: .null)
        var seen = JSONValue.null
        let states = [
            contents([]), contents([1]), contents(Array(1...50)), contents(Array(1...50), state: "stopped"),
            contents(Array(1...40)), contents([2, 4, 6]), contents([2, 4, 6, 7]),
            contents([1, 2], more: [.init("source_loss", .array([.null, .integer(1)]))]), contents([]),
        ]
        for state in states {
            let update = feed.update(state)
            let event = try #require(update)
            #expect(event.hasSuffix("\n\n") && event.split(separator: "\n").count == 2)
            seen = try merged(seen, event)
            #expect(try JSONValue(parsing: Array(state.line.utf8)) == seen)
            let again = feed.update(state)
            #expect(again == nil)
            #expect(try merged(.null, feed.full) == seen)
        }
    }

    @Test func `a new step sends that step and no earlier one`() throws {
        var feed = LiveFeed(contents: contents(Array(1...1_000)))
        let update = feed.update(contents(Array(1...1_001)))
        let event = try #require(update)
        #expect(event.utf8.count < 200 && event.contains("\"from\":1000"))
    }
}
