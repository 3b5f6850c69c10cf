internal import Foundation
import Testing

@testable import Cluster

@Suite struct HostFileTests {
    @Test func `the forms of Open MPI, MPICH and DeepSpeed are read`() throws {
        let hosts = try HostFile.parse(
            """
            # of the lab
            one slots=4 max_slots=8
            two:3   # as MPICH writes it

            three
            one slots=2
            three
            """, file: "hosts")
        #expect(
            hosts == [
                .init(address: "one", slots: 6), .init(address: "two", slots: 3), .init(address: "three", slots: 2),
            ])
    }

    @Test(arguments: ["\r\n", "\n", "\r"]) func `lines may end as they do elsewhere`(end: String) throws {
        let hosts = try HostFile.parse(["one slots=4 # main", "two slots=4", ""].joined(separator: end), file: "hosts")
        #expect(hosts == [.init(address: "one", slots: 4), .init(address: "two", slots: 4)])
    }

    @Test(arguments: [
        ("", "hosts: the hostfile names no host: write lines such as host1 slots=4"),
        ("# nothing\n", "names no host"),
        ("one slots=0", "hosts:1: 0 is not a number of slots"),
        ("one\ntwo slots=many", "hosts:2: many is not a number of slots"),
        ("one cores=4", "hosts:1: cores=4 is unknown: write host slots=N"),
        ("one:", "is not a number of slots"),
        ("-oProxyCommand=x", "hosts:1: -oProxyCommand=x is not a host name"),
        ("one;two slots=2", "is not a host name"),
    ])
    func `a line that is no host is refused with its place`(text: String, message: String) throws {
        let error = try #require(throws: ClusterFileError.self) { try HostFile.parse(text, file: "hosts") }
        #expect(error.description.contains(message), "\(error)")
    }

    @Test func `a cluster file takes the hosts of the hostfile beside it`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "apus-hostfile-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("two slots=3\nthree\n".utf8).write(to: folder.appending(path: "hosts"))
        let place = folder.appending(path: "lab.yaml").path
        let head = "coordinator: {address: a}\ndefaults: {workers: 2, threads: 8}\nhostfile: hosts\n"
        #expect(
            try ClusterFile.parse(head + "hosts: [{address: one}]", file: place).hosts == [
                .init(address: "one", workers: 2, threads: 8), .init(address: "two", workers: 3, threads: 8),
                .init(address: "three", workers: 1, threads: 8),
            ])
        #expect(try ClusterFile.parse(head, file: place).workers == 4)
        for (text, message) in [
            (head + "hosts: [{address: two}]", "the host two is listed in hosts and in the hostfile"),
            (head.replacing("hosts", with: "none"), "cannot be read"),
        ] {
            let error = try #require(throws: ClusterFileError.self) { try ClusterFile.parse(text, file: place) }
            #expect(error.description.contains(message), "\(error)")
        }
    }
}
