import Testing

@testable import Cluster

@Suite struct ClusterFileTests {
    @Test func `defaults hold until a host overrides them`() throws {
        let file = try ClusterFile.parse(
            """
            coordinator: {address: 10.0.0.1, port: 5700}
            defaults: {workers: 2, threads: 4, user: ada, binary: /opt/apus/apus}
            hosts:
              - address: one
              - {address: two, workers: 3, ssh_port: 2222, interface: eth1}
            """, file: "lab.yaml")
        #expect(file.coordinator == .init(address: "10.0.0.1", port: 5700))
        #expect(
            file.hosts == [
                .init(address: "one", workers: 2, threads: 4, user: "ada", binary: "/opt/apus/apus"),
                .init(
                    address: "two", workers: 3, threads: 4, user: "ada", sshPort: 2222, binary: "/opt/apus/apus",
                    interface: "eth1"),
            ])
        #expect(file.workers == 5)
    }

    @Test func `a run has no more workers than a coordinator listens to`() throws {
        func workers(_ last: Int) throws -> Int {
            try ClusterFile.parse(
                "{coordinator: {address: a}, hosts: [{address: a, workers: 4000}, {address: b, workers: \(last)}]}",
                file: "x"
            ).workers
        }
        #expect(try workers(96) == ClusterFile.mostWorkers)
        #expect(throws: ClusterFileError.self) { try workers(97) }
        #expect(throws: ClusterFileError.self) { try workers(4_096) }
    }

    /// Nine of nine of nine: as a key, each of 280 billion values would be looked at.
    static let multiplied =
        "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        + zip("abcdefghijkl", "bcdefghijklm").map { inner, outer in
            "\(outer): &\(outer) [\([String](repeating: "*\(inner)", count: 9).joined(separator: ", "))]\n"
        }.joined() + "? *m\n: 1\n"

    @Test(.timeLimit(.minutes(1))) func `aliases that multiply are refused, a few are read`() throws {
        #expect(throws: ClusterFileError.self) { try ClusterFile.parse(Self.multiplied, file: "x") }
        let file = try ClusterFile.parse(
            "coordinator: &c {address: a}\nhosts: [*c, {address: &b b, user: *b}]", file: "x")
        #expect(file.hosts == [.init(address: "a"), .init(address: "b", user: "b")])
    }

    @Test(arguments: ["/dev/zero", "/dev/full"]) func `a file without an end is refused`(path: String) {
        #expect(throws: ClusterFileError.self) { try ClusterFile.read(path) }
    }

    @Test func `a coordinator without a port has a free one`() throws {
        let file = try ClusterFile.parse("{coordinator: {address: a}, hosts: [{address: a}]}", file: "x")
        #expect(file.coordinator.port == nil)
        #expect(file.hosts == [.init(address: "a")])
    }

    @Test(arguments: [
        ("", "lab.yaml: it is empty"),
        ("[1, 2]", "lab.yaml:1: the file is not a mapping"),
        (
            "coordinator: {address: a}\nhost: []",
            "lab.yaml:2: the file has the unknown key host: use coordinator, defaults, hosts"
        ),
        ("hosts: [{address: a}]", "lab.yaml:1: coordinator is missing"),
        ("coordinator: {port: 1}\nhosts: [{address: a}]", "lab.yaml:1: coordinator has no address"),
        (
            "coordinator: {address: a, port: 70000}\nhosts: [{address: a}]",
            "lab.yaml:1: port of coordinator is 70000: give a port"
        ),
        ("coordinator: {address: a, port: 0}\nhosts: [{address: a}]", "lab.yaml:1: port of coordinator is 0"),
        ("coordinator: {address: a}\nhosts: []", "lab.yaml:2: hosts names no host"),
        ("coordinator: {address: a}", "lab.yaml:1: hosts names no host"),
        (
            "coordinator: {address: a}\nhosts:\n- address: b\n  thread: 2",
            "lab.yaml:4: an entry of hosts has the unknown key thread"
        ),
        ("coordinator: {address: a}\nhosts:\n- address: b\n- address: b", "lab.yaml:4: the host b is listed twice"),
        (
            "coordinator: {address: a}\nhosts:\n- address: b\n  workers: 0",
            "lab.yaml:4: workers of an entry of hosts is 0"
        ),
        (
            "coordinator: {address: a}\ndefaults: {workers: two}\nhosts: [{address: b}]",
            "lab.yaml:2: workers of defaults is two"
        ),
        (
            "coordinator: {address: a}\nhosts: [{address: '-oProxyCommand=x'}]",
            "lab.yaml:2: address of an entry of hosts is not a plain text"
        ),
        (
            "coordinator: {address: a}\nhosts: [{address: 'b; reboot'}]",
            "lab.yaml:2: address b; reboot of an entry of hosts has a character"
        ),
        (
            "coordinator: {address: a}\nhosts: [{address: [b]}]",
            "lab.yaml:2: address of an entry of hosts is not a plain text"
        ),
        ("coordinator: {address: a, address: b}\nhosts: [{address: b}]", "the key address occurs twice"),
        ("coordinator: {address: a", "it is not YAML"),
    ])
    func `a wrong file is refused in one line with file, key and remedy`(text: String, message: String) throws {
        let error = try #require(throws: ClusterFileError.self) { try ClusterFile.parse(text, file: "lab.yaml") }
        #expect(error.description.contains(message))
        #expect(error.description.hasPrefix("lab.yaml") && !error.description.contains("\n"))
    }

    @Test func `line ends in a key or a value make no second line`() throws {
        for text in [
            "\"a\\nb\": 1\n", "coordinator: {\"x\\r\\ny\": 1}\nhosts: []\n",
            "coordinator: {address: \"a\\nb\"}\nhosts: []\n",
        ] {
            let error = try #require(throws: ClusterFileError.self) { try ClusterFile.parse(text, file: "lab.yaml") }
            #expect(!error.description.contains { $0.isNewline }, "\(error)")
        }
    }

    @Test func `a file that is not there is named`() throws {
        let error = try #require(throws: ClusterFileError.self) { try ClusterFile.read("nowhere/lab.yaml") }
        #expect(error.description.hasPrefix("nowhere/lab.yaml: it cannot be read"))
    }
}
