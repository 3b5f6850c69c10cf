import Testing

@testable import Cluster

@Suite struct SlurmHostsTests {
    @Test(arguments: [
        ("one", ["one"]),
        ("one,two", ["one", "two"]),
        ("n[1-3]", ["n1", "n2", "n3"]),
        ("n[01-03,07],other", ["n01", "n02", "n03", "n07", "other"]),
        ("n[9-11]", ["n9", "n10", "n11"]),
        ("n[098-101]x", ["n098x", "n099x", "n100x", "n101x"]),
        ("r[1-2]n[3,5]", ["r1n3", "r1n5", "r2n3", "r2n5"]),
        ("a-b[1],c-d", ["a-b1", "c-d"]),
    ])
    func `lists are written out in order`(list: String, hosts: [String]) throws {
        #expect(try SlurmHosts.expand(list) == hosts)
    }

    @Test(arguments: [
        "", ",", "a,", "n[", "n]", "n[]", "n[1", "n[1-]", "n[3-1]", "n[a-b]", "n[1-2-3]", "n[[1]]", "n[1-999999999]",
        "n[1-9999]m[1-9999]",
    ])
    func `what is not a list is refused`(list: String) {
        #expect(throws: SlurmHosts.Malformed(list: list)) { try SlurmHosts.expand(list) }
    }
}
