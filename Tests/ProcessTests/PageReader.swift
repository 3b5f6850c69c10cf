import Foundation
import Testing

/// A live page's address, as the program prints it.
struct PageAddress {
    let port: UInt16
    let token: String

    /// - Parameter line: with an address in it.
    init(_ line: String, location: SourceLocation = #_sourceLocation) throws {
        let found = try #require(
            line.firstMatch(of: /http:\/\/127\.0\.0\.1:([0-9]+)\/\?token=([0-9a-f]{32})/), "\(line)",
            sourceLocation: location)
        port = try #require(UInt16(found.1))
        token = String(found.2)
    }

    /// Asks for a target, such as `/metrics`, with the token.
    func get(_ path: String) throws -> PageAnswer { try ask("GET \(path)?token=\(token) HTTP/1.1\r\nHost: localhost") }

    /// Sends these bytes and an empty line, and reads to the end of the connection.
    func ask(_ head: String) throws -> PageAnswer {
        let connection = try PageConnection(port: port)
        try connection.send("\(head)\r\n\r\n")
        return PageAnswer(try connection.readToEnd())
    }
}

/// An answer of a page.
struct PageAnswer {
    let status: Int
    let head: String
    let body: String

    init(_ text: String) {
        let parts = text.components(separatedBy: "\r\n\r\n")
        head = parts[0]
        body = parts.dropFirst().joined(separator: "\r\n\r\n")
        status = Int(head.split(separator: " ").dropFirst().first ?? "") ?? 0
    }
}

/// A TCP connection to this machine; a wait for bytes ends after a minute.
final class PageConnection {
    private let descriptor: Int32
    private var seen: [UInt8] = []

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = unsafe withUnsafePointer(to: address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0, "port \(port): \(errno)")
    }

    deinit { close(descriptor) }

    func send(_ text: String) throws {
        let bytes = Array(text.utf8)
        let count = unsafe Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        try #require(count == bytes.count)
    }

    /// - Returns: false at the end.
    private func read() throws -> Bool {
        var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        try #require(unsafe poll(&state, 1, 60_000) > 0, "no answer within a minute")
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        if count > 0 { seen += buffer[..<count] }
        return count > 0
    }

    func readToEnd() throws -> String {
        while try read() {}
        return String(decoding: seen, as: UTF8.self)
    }

    /// The bytes up to these words and with them; nil if the connection ends before.
    func read(to words: String) throws -> String? {
        let wanted = Array(words.utf8)
        while true {
            if let range = seen.firstRange(of: wanted) {
                defer { seen.removeSubrange(..<range.upperBound) }
                return String(decoding: seen[..<range.upperBound], as: UTF8.self)
            }
            guard try read() else { return nil }
        }
    }
}

/// A reader of a page's events, who takes over each change as the page's script does.
final class PageEvents {
    private let connection: PageConnection
    private(set) var contents: [String: Any] = [:]

    init(_ address: PageAddress) throws {
        connection = try PageConnection(port: address.port)
        try connection.send("GET /events?token=\(address.token) HTTP/1.1\r\nHost: localhost\r\n\r\n")
        let head = try #require(try connection.read(to: "\r\n\r\n"))
        #expect(head.contains("Content-Type: text/event-stream"))
    }

    /// - Returns: false at the end.
    func next() throws -> Bool {
        guard let text = try connection.read(to: "\n\n") else { return false }
        let lines = text.split(separator: "\n")
        guard lines.count == 2, lines[1].hasPrefix("data: ") else { return true }
        let data = try #require(
            try JSONSerialization.jsonObject(with: Data(lines[1].dropFirst(6).utf8)) as? [String: Any])
        if lines[0] == "event: full" { contents = data } else { try merge(data) }
        return true
    }

    /// Reads on until the contents are as they should be.
    func wait(until isRight: ([String: Any]) throws -> Bool, location: SourceLocation = #_sourceLocation) throws {
        while try !isRight(contents) {
            guard try next() else {
                Issue.record("the events ended: \(contents.keys)", sourceLocation: location)
                return
            }
        }
    }

    private func merge(_ change: [String: Any]) throws {
        for (key, value) in change where key != "runs" { contents[key] = value }
        guard let changed = change["runs"] as? [[String: Any]] else { return }
        var runs = try #require(contents["runs"] as? [[String: Any]])
        for (index, run) in changed.enumerated() {
            for (name, value) in run {
                guard name == "steps", let steps = value as? [String: Any], let from = steps["from"] as? Int else {
                    runs[index][name] = value
                    continue
                }
                var columns = try #require(runs[index]["steps"] as? [String: [Any]])
                for (column, values) in try #require(steps["columns"] as? [String: [Any]]) {
                    columns[column] = Array(try #require(columns[column]).prefix(from)) + values
                }
                runs[index]["steps"] = columns
            }
        }
        contents["runs"] = runs
    }

    var live: [String: Any] { contents["live"] as? [String: Any] ?? [:] }
    var workers: [[Any]] { live["workers"] as? [[Any]] ?? [] }
    var steps: [String: Any] { (contents["runs"] as? [[String: Any]])?.first?["steps"] as? [String: Any] ?? [:] }
}
