import Testing

@testable import Processes

@Suite struct MemoryNodesTests {
    private static let folder = "/sys/devices/system/node"

    /// A machine's files: the processors of each node that is online, by the node's number.
    private static func files(
        _ nodes: [Int: String], memory: String? = nil, allowed: String = "0-1023", allowedMemory: String? = "0-63"
    ) -> [String: String] {
        var files = ["\(folder)/online": ProcessorList(nodes.keys).text + "\n"]
        files["\(folder)/has_memory"] = (memory ?? ProcessorList(nodes.keys).text) + "\n"
        for (number, processors) in nodes { files["\(folder)/node\(number)/cpulist"] = processors + "\n" }
        files["/proc/self/status"] =
            "Name:\tapus\nCpus_allowed:\tff\nCpus_allowed_list:\t\(allowed)\n"
            + (allowedMemory.map { "Mems_allowed_list:\t\($0)\n" } ?? "")
        return files
    }

    private func nodes(_ files: [String: String]) -> MemoryNodes { MemoryNodes { files[$0] } }

    private struct Machine: CustomTestStringConvertible {
        let testDescription: String
        let files: [String: String]
        let count: Int
        /// To which each node's workers can be bound.
        var processors: [String] = []
    }

    private static let machines = [
        Machine(testDescription: "one node", files: files([0: "0-7"]), count: 1),
        Machine(testDescription: "two", files: files([0: "0-3", 1: "4-7"]), count: 2, processors: ["0-3", "4-7"]),
        Machine(
            testDescription: "two with SMT, the second processors of the cores at the end",
            files: files([0: "0-3,8-11", 1: "4-7,12-15"]), count: 2, processors: ["0-3,8-11", "4-7,12-15"]),
        Machine(
            testDescription: "eight, not numbered in one row",
            files: files(Dictionary(uniqueKeysWithValues: (0..<8).map { ($0 * 2, "\($0 * 4)-\($0 * 4 + 3)") })),
            count: 8, processors: (0..<8).map { "\($0 * 4)-\($0 * 4 + 3)" }),
        Machine(
            testDescription: "an affinity mask within one node",
            files: files([0: "0-3", 1: "4-7"], allowed: "4-6"), count: 1),
        Machine(
            testDescription: "an affinity mask over two of four nodes",
            files: files([0: "0-3", 1: "4-7", 2: "8-11", 3: "12-15"], allowed: "6-9"), count: 2,
            processors: ["6-7", "8-9"]),
        Machine(
            testDescription: "a cpuset that leaves unequal nodes",
            files: files([0: "0-3", 1: "4-7"], allowed: "0-5"), count: 2),
        Machine(
            testDescription: "memory without processors",
            files: files([0: "0-3", 1: "4-7", 2: "", 3: ""]), count: 2, processors: ["0-3", "4-7"]),
        Machine(
            testDescription: "one of two nodes without memory",
            files: files([0: "0-3", 1: "4-7"], memory: "0"), count: 1),
        Machine(
            testDescription: "one of three nodes without memory: its processors would stand by",
            files: files([0: "0-3", 1: "4-7", 2: "8-11"], memory: "0-1"), count: 2),
        Machine(
            testDescription: "a cpuset with memory of one node only",
            files: files([0: "0-3", 1: "4-7"], allowedMemory: "1"), count: 1),
        Machine(
            testDescription: "a kernel without cpusets",
            files: files([0: "0-3", 1: "4-7"], allowedMemory: nil), count: 2, processors: ["0-3", "4-7"]),
        Machine(testDescription: "no files at all", files: [:], count: 1),
    ]

    @Test(arguments: machines)
    private func `nodes are counted, and bound to where that leaves nothing out`(machine: Machine) {
        let found = nodes(machine.files)
        #expect(found.count == machine.count)
        #expect(found.processors.map(\.text) == machine.processors)
    }

    @Test func `a file that is missing or says nothing readable makes one node`() {
        let whole = Self.files([0: "0-3", 1: "4-7"])
        for path in whole.keys {
            for text in [nil, "x", "0-", "1-0", "0-1 2", "0-99999999999", "\u{0}"] {
                var files = whole
                files[path] = text
                if path == "/proc/self/status", let text {
                    files[path] = "Cpus_allowed_list:\t\(text)\nMems_allowed_list:\t0-1\n"
                    #expect(nodes(files) == nodes([:]), "\(path): \(text)")
                    files[path] = "Cpus_allowed_list:\t0-7\nMems_allowed_list:\t\(text)\n"
                }
                #expect(nodes(files) == nodes([:]), "\(path): \(text ?? "missing")")
            }
        }
        var files = whole
        files["\(Self.folder)/node1/cpulist"] = "3-7"
        #expect(nodes(files) == nodes([:]), "a processor of two nodes")
    }

    @Test func `this machine's nodes have processors`() {
        let here = MemoryNodes.ofThisProcess
        #expect(here.count >= 1 && (here.processors.isEmpty || here.processors.count == here.count))
        #expect(here.processors.allSatisfy { !$0.isEmpty })
    }
}
