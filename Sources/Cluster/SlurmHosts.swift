/// Slurm's short form of host lists: `n[01-03,07],other` stands for n01, n02, n03, n07 and other.
package enum SlurmHosts {
    /// A text that is not such a list.
    package struct Malformed: Error, Equatable, CustomStringConvertible {
        package let list: String
        package var description: String {
            "the host list \(list) is not in Slurm's form: write names such as n[01-03,07],other"
        }
    }

    /// More hosts than any run has: a longer list is refused instead of filling memory.
    private static let limit = 65_536

    /// The hosts of `list`, in order.
    package static func expand(_ list: String) throws(Malformed) -> [String] {
        var hosts: [String] = []
        for item in try split(Substring(list), of: list) {
            hosts += try expand(item: item, of: list)
            guard hosts.count <= limit else { throw Malformed(list: list) }
        }
        return hosts
    }

    /// Splits `text` at the commas outside brackets.
    private static func split(_ text: Substring, of list: String) throws(Malformed) -> [Substring] {
        var items: [Substring] = []
        var start = text.startIndex
        var isInside = false
        for index in text.indices {
            switch text[index] {
            case "[":
                guard !isInside else { throw Malformed(list: list) }
                isInside = true
            case "]":
                guard isInside else { throw Malformed(list: list) }
                isInside = false
            case "," where !isInside:
                items.append(text[start..<index])
                start = text.index(after: index)
            default: break
            }
        }
        items.append(text[start...])
        guard !isInside, items.allSatisfy({ !$0.isEmpty }) else { throw Malformed(list: list) }
        return items
    }

    /// `rack[1-2]n[01-02]`: each bracket multiplies what came before it.
    private static func expand(item: Substring, of list: String) throws(Malformed) -> [String] {
        var names = [""]
        var rest = item
        while let open = rest.firstIndex(of: "["), let close = rest.firstIndex(of: "]") {
            let numbers = try numbers(rest[rest.index(after: open)..<close], of: list)
            guard names.count * numbers.count <= limit else { throw Malformed(list: list) }
            let prefix = rest[..<open]
            names = names.flatMap { name in numbers.map { "\(name)\(prefix)\($0)" } }
            rest = rest[rest.index(after: close)...]
        }
        return names.map { $0 + rest }
    }

    /// `01-03,07`: numbers are padded to the width of the first in their range.
    private static func numbers(_ text: Substring, of list: String) throws(Malformed) -> [String] {
        var numbers: [String] = []
        for range in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = range.split(separator: "-", omittingEmptySubsequences: false)
            guard ends.count <= 2, ends.allSatisfy({ !$0.isEmpty && $0.allSatisfy(\.isWholeNumber) }),
                let first = Int(ends[0]), let last = Int(ends.last!),
                first <= last, last - first < limit
            else { throw Malformed(list: list) }
            for number in first...last {
                let digits = String(number)
                numbers.append(String(repeating: "0", count: max(0, ends[0].count - digits.count)) + digits)
            }
        }
        return numbers
    }
}
