import Testing

@testable import WebServer

/// What bytes are a request.
@Suite struct HTTPRequestTests {
    private func reading(_ text: String) -> HTTPRequest.Reading { HTTPRequest.reading(Array(text.utf8)) }

    @Test func `a request has a path, a query and headers by lowercase name`() throws {
        let text = "GET /events?token=ab%20c&x HTTP/1.1\r\nHost: localhost:1\r\nACCEPT:  */*\r\n\r\nmore"
        guard case .whole(let request) = reading(text) else {
            Issue.record("not read")
            return
        }
        #expect(request.method == "GET" && request.path == "/events")
        #expect(request.query == ["token": "ab%20c", "x": ""])
        #expect(request.headers == ["host": "localhost:1", "accept": "*/*"])
    }

    @Test func `every beginning of a request is incomplete`() {
        let text = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for count in 0..<text.utf8.count {
            #expect(HTTPRequest.reading(Array(text.utf8.prefix(count))) == .incomplete)
        }
    }

    @Test(arguments: [
        ("GET\r\n\r\n", HTTPStatus.bad), ("GET / HTTP/1.1 x\r\n\r\n", .bad), ("GET x HTTP/1.1\r\n\r\n", .bad),
        ("GET http://other/ HTTP/1.1\r\n\r\n", .bad), ("GET / HTTP/2.0\r\n\r\n", .versionUnknown),
        ("GET / FTP\r\n\r\n", .bad), ("GET / HTTP/1.1\r\nno colon\r\n\r\n", .bad),
        ("GET / HTTP/1.1\r\n: x\r\n\r\n", .bad), ("GET / HTTP/1.1\r\nHost : x\r\n\r\n", .bad),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", .bad), ("GET / HTTP/1.1\r\n folded: x\r\n\r\n", .bad),
        ("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", .bad),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", .bad), ("GET /\u{1B}[2J HTTP/1.1\r\n\r\n", .bad),
        ("GET / HTTP/1.1\nHost: a\n\n\r\n\r\n", .bad),
    ])
    func `what is not a request without a body is refused`(_ text: String, _ status: HTTPStatus) {
        #expect(reading(text) == .refused(status))
    }

    @Test func `bytes that are not text and heads without an end are refused`() {
        let bytes = Array("GET /".utf8) + [0xFF, 0xFE] + Array(" HTTP/1.1\r\n\r\n".utf8)
        #expect(HTTPRequest.reading(bytes) == .refused(.bad))
        let endless = [UInt8](repeating: UInt8(ascii: "a"), count: HTTPRequest.mostBytes)
        #expect(HTTPRequest.reading(endless) == .refused(.headTooLarge))
        #expect(HTTPRequest.reading(endless.dropLast()) == .incomplete)
    }
}

extension HTTPRequest {
    fileprivate static func reading(_ bytes: ArraySlice<UInt8>) -> Reading { reading(Array(bytes)) }
}
