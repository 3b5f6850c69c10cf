internal import Yams

/// One mapping of a cluster file with checked keys.
struct ClusterSection {
    private let values: [String: Node]
    private let name: String
    private let file: String
    private let line: Int?

    init(_ node: Node, named name: String, keys: [String], file: String) throws(ClusterFileError) {
        line = node.mark?.line
        self.name = name
        self.file = file
        guard let mapping = node.mapping else {
            throw ClusterFileError(
                file: file, line: line, problem: "\(name) is not a mapping",
                remedy: "give it keys: \(keys.joined(separator: ", "))")
        }
        var values: [String: Node] = [:]
        for (key, value) in mapping {
            guard let text = key.string, keys.contains(text) else {
                throw ClusterFileError(
                    file: file, line: key.mark?.line,
                    problem: "\(name) has the unknown key \(key.string ?? "(not a text)")",
                    remedy: "use \(keys.joined(separator: ", "))")
            }
            values[text] = value
        }
        self.values = values
    }

    func has(_ key: String) -> Bool { values[key] != nil }

    func error(_ key: String, _ problem: String, _ remedy: String) -> ClusterFileError {
        ClusterFileError(file: file, line: values[key]?.mark?.line ?? line, problem: problem, remedy: remedy)
    }

    func section(_ key: String, keys: [String]) throws(ClusterFileError) -> ClusterSection {
        guard let node = values[key] else {
            throw error(key, "\(key) is missing", "add it with \(keys.joined(separator: ", "))")
        }
        return try ClusterSection(node, named: key, keys: keys, file: file)
    }

    func list(_ key: String, keys: [String]) throws(ClusterFileError) -> [ClusterSection] {
        guard let sequence = values[key]?.sequence, !sequence.isEmpty else {
            throw error(key, "\(key) names no host", "add entries such as - address: host1")
        }
        var sections: [ClusterSection] = []
        for node in sequence {
            sections.append(try ClusterSection(node, named: "an entry of \(key)", keys: keys, file: file))
        }
        return sections
    }

    // MARK: Values

    func text(_ key: String) throws(ClusterFileError) -> String? {
        guard let node = values[key] else { return nil }
        guard let text = node.scalar?.string, !text.isEmpty, !text.hasPrefix("-") else {
            throw error(key, "\(key) of \(name) is not a plain text", "give one value that does not begin with a dash")
        }
        return text
    }

    /// Text that is safe on a command line: the characters of names of hosts, users and interfaces.
    func word(_ key: String) throws(ClusterFileError) -> String? {
        guard let text = try text(key) else { return nil }
        guard Self.isWord(text) else {
            throw error(
                key, "\(key) \(text) of \(name) has a character that names do not have",
                "use letters, digits and . _ - : %")
        }
        return text
    }

    static func isWord(_ text: String) -> Bool {
        text.allSatisfy { ($0.isASCII && ($0.isLetter || $0.isNumber)) || "._-:%@".contains($0) }
    }

    func requiredAddress() throws(ClusterFileError) -> String {
        guard let address = try word("address") else {
            throw error("address", "\(name) has no address", "add address: with a host's name or number")
        }
        return address
    }

    func count(_ key: String) throws(ClusterFileError) -> Int? {
        guard let text = try text(key) else { return nil }
        guard let count = Int(text), (1...4_096).contains(count) else {
            throw error(
                key, "\(key) of \(name) is \(text)", "give a whole number from 1 to 4096, or leave the host out")
        }
        return count
    }

    func port(_ key: String) throws(ClusterFileError) -> UInt16? {
        guard let text = try text(key) else { return nil }
        guard let port = UInt16(text), port > 0 else {
            throw error(key, "\(key) of \(name) is \(text)", "give a port from 1 to 65535, or leave it out")
        }
        return port
    }

    /// Sets in `host` what this section names.
    func override(_ host: inout ClusterFile.Host) throws(ClusterFileError) {
        host.workers = try count("workers") ?? host.workers
        host.threads = try count("threads") ?? host.threads
        host.user = try word("user") ?? host.user
        host.sshPort = try port("ssh_port") ?? host.sshPort
        host.binary = try text("binary") ?? host.binary
        host.interface = try word("interface") ?? host.interface
    }
}
