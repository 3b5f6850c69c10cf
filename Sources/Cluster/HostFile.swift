/// A hostfile as MPI launchers and DeepSpeed read it: one host per line, with `slots=N` or `host:N` for its processes.
///
/// `#` begins a comment. A host without a number gets one process; lines of one host add up, as with Open MPI.
package enum HostFile {
    /// A host and the number of its processes.
    package struct Entry: Equatable, Sendable {
        package var address: String
        package var slots: Int
    }

    /// The hosts of `text`, in the order of their first lines; `file` is named in errors.
    package static func parse(_ text: String, file: String) throws(ClusterFileError) -> [Entry] {
        var entries: [Entry] = []
        for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let content = line.prefix { $0 != "#" }
            guard
                let entry = try entry(
                    content.split(whereSeparator: \.isWhitespace).map(String.init), file: file, line: number + 1)
            else { continue }
            if let place = entries.firstIndex(where: { $0.address == entry.address }) {
                entries[place].slots += entry.slots
            } else {
                entries.append(entry)
            }
        }
        guard !entries.isEmpty else {
            throw ClusterFileError(
                file: file, line: nil, problem: "the hostfile names no host",
                remedy: "write lines such as host1 slots=4")
        }
        return entries
    }

    private static func entry(_ words: [String], file: String, line: Int) throws(ClusterFileError) -> Entry? {
        guard let first = words.first else { return nil }
        func error(_ problem: String, _ remedy: String = "write host slots=N") -> ClusterFileError {
            ClusterFileError(file: file, line: line, problem: problem, remedy: remedy)
        }
        func count(_ text: Substring) throws(ClusterFileError) -> Int {
            guard let count = Int(text), (1...4_096).contains(count) else {
                throw error(
                    "\(text) is not a number of slots", "give a whole number from 1 to 4096, or leave the line out")
            }
            return count
        }
        let parts = first.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let address = String(parts[0])
        guard !address.isEmpty, !address.hasPrefix("-"), ClusterSection.isWord(address) else {
            throw error("\(first) is not a host name")
        }
        var slots = try parts.count == 2 ? count(parts[1]) : nil
        for word in words.dropFirst() {
            let pair = word.split(separator: "=", maxSplits: 1)
            switch (pair.first, pair.count) {
            case ("slots", 2): slots = try count(pair[1])
            case ("max_slots", 2), ("max-slots", 2): continue
            default: throw error("\(word) is unknown")
            }
        }
        return Entry(address: address, slots: slots ?? 1)
    }
}
