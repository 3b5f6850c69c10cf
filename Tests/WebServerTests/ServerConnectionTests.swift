import Testing

@testable import WebServer

/// The life of a connection, in values.
@Suite struct ServerConnectionTests {
    private let start = ContinuousClock.now
    private let request = Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)

    private func text(_ connection: ServerConnection) -> String {
        String(decoding: connection.waiting, as: UTF8.self)
    }

    @Test func `a request in pieces has one answer, after whose last byte the connection is over`() {
        var connection = ServerConnection(at: start)
        #expect(connection.receive(request[..<9], at: start) == nil)
        #expect(connection.receive(request[9...], at: start)?.path == "/")
        connection.answer(HTTPResponse(body: "hello"), withBody: true, at: start)
        #expect(text(connection).hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(text(connection).hasSuffix("Content-Length: 5\r\n\r\nhello"))
        #expect(connection.receive(request[...], at: start) == nil)
        connection.wrote(connection.waiting.count - 1, at: start)
        #expect(connection.phase == .answering)
        connection.wrote(1, at: start)
        #expect(connection.phase == .over)
    }

    @Test func `a refused request is answered`() {
        var connection = ServerConnection(at: start)
        #expect(connection.receive(Array("nonsense\r\n\r\n".utf8)[...], at: start) == nil)
        #expect(text(connection).hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
    }

    @Test func `a head without its body says how long that is`() {
        var connection = ServerConnection(at: start)
        connection.answer(HTTPResponse(body: "hello", isStream: false), withBody: false, at: start)
        #expect(text(connection).hasSuffix("Content-Length: 5\r\n\r\n"))
    }

    @Test func `no answer is cached, framed, or told to another origin, and none sets a cookie`() {
        for response in [
            HTTPResponse(body: ""), HTTPResponse(refusing: .forbidden), HTTPResponse(body: "", isStream: true),
        ] {
            let head = String(decoding: response.bytes(withBody: true), as: UTF8.self)
            for header in [
                "Cache-Control: no-store", "Referrer-Policy: no-referrer", "X-Content-Type-Options: nosniff",
                "X-Frame-Options: DENY", "Cross-Origin-Resource-Policy: same-origin",
            ] {
                #expect(head.contains("\r\n\(header)\r\n"))
            }
            #expect(!head.contains("Access-Control") && !head.contains("Set-Cookie"))
        }
    }

    @Test func `a request that does not arrive is given up`() {
        var connection = ServerConnection(at: start)
        connection.tick(start + ServerConnection.patience)
        #expect(connection.phase == .reading)
        connection.tick(start + ServerConnection.patience + .seconds(1))
        #expect(text(connection).hasPrefix("HTTP/1.1 408 "))
        connection.tick(start + .seconds(3) * 60)
        #expect(connection.phase == .over)
    }

    @Test func `a reader who never quite catches up costs no more than one who does not`() {
        var connection = ServerConnection(at: start)
        connection.answer(HTTPResponse(body: "first", isStream: true), withBody: true, at: start)
        let event = [UInt8](repeating: 7, count: 1 << 20)
        for _ in 0..<64 {
            connection.add(event: event, at: start)
            connection.wrote(connection.waiting.count - 1, at: start)
            #expect(connection.phase == .streaming && connection.waiting.count == 1)
            #expect(connection.output.count <= ServerConnection.mostWaiting)
        }
        #expect(connection.waiting.first == 7)
    }

    @Test func `a stream goes on, with signs of life, until its reader takes nothing`() {
        var connection = ServerConnection(at: start)
        connection.answer(HTTPResponse(body: "first", isStream: true), withBody: true, at: start)
        connection.wrote(connection.waiting.count, at: start)
        #expect(connection.phase == .streaming)
        var now = start
        for _ in 0..<10 {
            now += ServerConnection.silence + .seconds(1)
            connection.tick(now)
            #expect(text(connection) == ":\n\n")
            connection.wrote(3, at: now)
        }
        connection.add(event: Array("news".utf8), at: now)
        connection.tick(now + ServerConnection.patience)
        #expect(connection.phase == .streaming)
        connection.tick(now + ServerConnection.patience + .seconds(1))
        #expect(connection.phase == .over)
    }

    @Test func `what waits for a reader is bounded`() {
        var connection = ServerConnection(at: start)
        connection.answer(HTTPResponse(body: "", isStream: true), withBody: true, at: start)
        let event = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
        for _ in 0..<20 { connection.add(event: event, at: start) }
        #expect(connection.phase == .over && connection.waiting.count <= ServerConnection.mostWaiting)
    }
}
