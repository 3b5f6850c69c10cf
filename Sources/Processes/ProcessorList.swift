internal import CSystem

/// A set of processors, or of NUMA nodes, in the kernel's notation: `0-3,8-11`.
package struct ProcessorList: Equatable, Sendable {
    /// Ascending, each once.
    package let numbers: [Int]

    /// As many as ``ProcessorCount`` asks the kernel for.
    private static let limit = 1 << 20

    package init(_ numbers: some Sequence<Int>) { self.numbers = Set(numbers).sorted() }

    /// Nil if the text is not in this notation; an empty text is an empty list.
    package init?(_ text: some StringProtocol) {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count <= 1 else { return nil }
        var found: [Int] = []
        for part in words.first?.split(separator: ",", omittingEmptySubsequences: false) ?? [] {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Self.number($0) }
            guard ends.count <= 2, let first = ends[0], let last = ends[ends.count - 1], first <= last else {
                return nil
            }
            found += first...last
        }
        self.init(found)
    }

    private static func number(_ digits: some StringProtocol) -> Int? {
        guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(digits), number < limit else {
            return nil
        }
        return number
    }

    package var isEmpty: Bool { numbers.isEmpty }

    package func intersection(_ other: ProcessorList) -> ProcessorList {
        ProcessorList(Set(numbers).intersection(other.numbers))
    }

    /// In the kernel's notation.
    package var text: String {
        var ranges: [ClosedRange<Int>] = []
        for number in numbers {
            if let last = ranges.last, last.upperBound == number - 1 {
                ranges[ranges.count - 1] = last.lowerBound...number
            } else {
                ranges.append(number...number)
            }
        }
        return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ",")
    }

    /// Binds the calling thread to these processors, and the threads that it starts from now on.
    /// - Returns: whether the system did; otherwise nothing has changed.
    package func bindThisThread() -> Bool {
        let processors = numbers.map { Int32($0) }
        return unsafe apus_bind(processors, Int32(processors.count)) == 0
    }
}
