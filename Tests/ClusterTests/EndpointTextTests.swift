import Testing

@testable import Cluster

@Suite struct EndpointTextTests {
    @Test(arguments: [
        ("tcp://lab1:5701", "tcp://lab1:5701"), ("lab1.example.org:5701", "tcp://lab1.example.org:5701"),
        ("127.0.0.1:05701", "tcp://127.0.0.1:5701"),
        ("localhost:1", "tcp://localhost:1"), ("[::1]:65535", "tcp://[::1]:65535"),
        ("tcp://[fe80::1%eth0]:5", "tcp://[fe80::1%eth0]:5"),
        ("ipc:///run/x/control", "ipc:///run/x/control"),
    ])
    func `hosts with a port are endpoints, with and without a scheme`(text: String, endpoint: String) throws {
        #expect(try EndpointText.read(text) == endpoint)
        #expect(try EndpointText.read(text, listens: true) == endpoint)
    }

    @Test(arguments: [
        ("*:*", "tcp://*:*"), (":5701", "tcp://*:5701"), ("0.0.0.0:0", "tcp://0.0.0.0:*"),
        ("tcp://[::]:*", "tcp://[::]:*"),
    ])
    func `who listens may leave host and port open`(text: String, endpoint: String) throws {
        #expect(try EndpointText.read(text, listens: true) == endpoint)
        #expect(throws: EndpointText.Malformed.self) { try EndpointText.read(text) }
    }

    @Test(arguments: [
        "", "nonsense", "lab1", "tcp://lab1", "lab1:", "lab1:65536", "lab1:http", "lab1:-1", "::1:5701", "[::1]",
        "[::1", "::1]:5", "[lab1]:5",
        "http://lab1:5701", "udp://lab1:5", "tcp://", "ipc://", "lab 1:5701", "lab1/x:5701", "tcp://tcp://lab1:5701",
        "a:b:5701", "://lab1:5",
    ])
    func `what is not an endpoint is told in one line`(text: String) throws {
        for listens in [false, true] {
            let error = #expect(throws: EndpointText.Malformed.self) { try EndpointText.read(text, listens: listens) }
            let line = try #require(error).description
            #expect(line.contains("'\(text)'") && !line.contains("\n"), "\(line)")
        }
    }
}
