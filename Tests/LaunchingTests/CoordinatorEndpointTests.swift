import Cluster
import Foundation
import Testing
import Transport

@testable import Coordination
@testable import Launching
@testable import Wording

@Suite struct CoordinatorEndpointTests {
    @Test(arguments: [
        "127.0.0.1", "localhost", "127.1.2.3", "127.1", "0", "0.0.0.0", "::1", "::", "[::]", "::ffff:127.0.0.1",
    ])
    func `an address that leads other hosts to themselves is refused`(address: String) {
        let error = #expect(throws: InputError.self) {
            try CoordinatorEndpoint(
                ClusterFile.Coordinator(address: address, port: nil), hosts: ["127.0.0.2", "192.0.2.7"])
        }
        #expect(
            error?.description.contains("192.0.2.7") == true && error?.description.contains(address) == true,
            "\(String(describing: error))")
    }

    @Test func `hosts that are this machine may use it`() throws {
        let endpoint = try CoordinatorEndpoint(
            ClusterFile.Coordinator(address: "127.0.0.1", port: nil), hosts: ["127.0.0.1", "127.0.0.2", "localhost"])
        #expect(endpoint.listening == endpoint.reachable && endpoint.listening.hasPrefix("tcp://127.0.0.1:"))
    }

    private static var hasIPv6: Bool {
        do {
            let listener = try TCPProbe.Listener(address: "::1", port: 0)
            return listener.port > 0
        } catch { return false }
    }

    @Test(.enabled(if: hasIPv6, "needs IPv6"))
    func `an IPv6 address stands in brackets`() throws {
        for address in ["::1", "[::1]"] {
            let endpoint = try CoordinatorEndpoint(ClusterFile.Coordinator(address: address, port: nil), hosts: ["::1"])
            #expect(
                endpoint.listening.hasPrefix("tcp://[::1]:") && endpoint.reachable == endpoint.listening, "\(endpoint)")
            #expect(
                try MeshPlace(coordinator: endpoint.reachable, keys: nil).endpoint(generation: 1) == "tcp://[::1]:*")
        }
    }

    @Test func `a host that takes the coordinator's address for its own is recognized by its report`() throws {
        var report = try HostReport(.standard, address: "127.0.0.1", port: 1)
        #expect(!report.isLedToItself)
        report.machine = "another"
        #expect(report.isLedToItself)
        report.address = "0.0.0.0"
        #expect(report.isLedToItself)
        report.address = "192.0.2.7"
        #expect(!report.isLedToItself)
    }
}
