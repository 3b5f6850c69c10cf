internal import Files

/// The NUMA nodes of this machine, as far as this process may use them.
///
/// Sources: the kernel's ABI/stable/sysfs-devices-node; proc(5) for the lists in a process's status.
package struct MemoryNodes: Equatable, Sendable {
    /// Nodes with memory and with processors, both allowed to this process; 1 if the system does not say.
    package let count: Int
    /// The allowed processors of each node, if a process can be bound to each of them and none is left out: there are
    /// several nodes, all with the same number of processors, and no allowed processor is outside of them. Else empty.
    package let processors: [ProcessorList]

    package static let ofThisProcess = MemoryNodes { SystemFile.text($0) }

    /// - Parameter read: the text of a file; nil if there is none.
    package init(read: (String) -> String?) {
        let nodes = Self.nodes(read) ?? []
        let used = nodes.filter(\.hasMemory).map(\.processors)
        count = max(1, used.count)
        let isEven = used.count == nodes.count && used.allSatisfy { $0.numbers.count == used[0].numbers.count }
        processors = used.count > 1 && isEven ? used : []
    }

    private struct Node {
        /// Those that this process may use.
        let processors: ProcessorList
        /// Whether this process may use some.
        let hasMemory: Bool
    }

    /// The nodes with allowed processors; nil if the system does not say.
    private static func nodes(_ read: (String) -> String?) -> [Node]? {
        let folder = "/sys/devices/system/node"
        func list(_ path: String) -> ProcessorList? { read("\(folder)/\(path)").flatMap { ProcessorList($0) } }
        let status = read("/proc/self/status") ?? ""
        // Processors that are not online may be in this list, too, but in none of a node's.
        guard let allowed = field("Cpus_allowed_list", in: status).flatMap({ ProcessorList($0) }),
            let online = list("online"), var memory = list("has_memory")
        else { return nil }
        // A kernel without cpusets has no such line.
        if let text = field("Mems_allowed_list", in: status) {
            guard let list = ProcessorList(text) else { return nil }
            memory = memory.intersection(list)
        }
        var nodes: [Node] = []
        for number in online.numbers {
            guard let own = list("node\(number)/cpulist")?.intersection(allowed) else { return nil }
            guard nodes.allSatisfy({ $0.processors.intersection(own).isEmpty }) else { return nil }
            if !own.isEmpty { nodes.append(Node(processors: own, hasMemory: memory.numbers.contains(number))) }
        }
        return nodes
    }

    private static func field(_ name: String, in status: String) -> Substring? {
        status.split(separator: "\n").first { $0.hasPrefix("\(name):") }?.dropFirst(name.count + 1)
    }
}
