/// How a gradient is cut into buckets, which are exchanged one after another while the backward pass still computes.
///
/// Parameters lie in the order of the forward pass, so the last ranges are exchanged first. Buckets begin at multiples
/// of the fixed blocks of norms and hashes: others would change bits.
package struct BucketCut: Sendable, Equatable {
    /// Elements of a bucket: 1 MiB. What the pass computes last waits for its end, so that a larger bucket is exchanged
    /// later; a smaller one has frames that are not full.
    private static let usual = 1 << 18

    /// Elements of a bucket, whatever the number of owners; nil for the usual size.
    private let size: Int?
    /// First element of what the backward pass completes at its very end although it lies behind all others, such as a
    /// word table that a head is tied to; nil if there is nothing of that kind.
    private let late: Int?

    package init(size: Int? = nil, late: Int? = nil) {
        precondition(size ?? 1 > 0, "a bucket of \(size ?? 0) elements")
        self.size = size
        self.late = late
    }

    /// Ranges that together are a gradient of `count` elements, in the order in which they are exchanged; at least one.
    /// - Parameter least: elements of the smallest usual bucket.
    func buckets(of count: Int, atLeast least: Int) -> [Range<Int>] {
        let block = ExchangePlan.granularity
        let size = ((size ?? max(Self.usual, least)) + block - 1) / block * block
        guard count > size else { return [0..<count] }
        let end = min(late ?? count, count)
        let early = end == count ? count : end / block * block
        return Self.cut(0..<early, size) + Self.cut(early..<count, size)
    }

    /// From the end to the beginning; the first may be smaller.
    private static func cut(_ range: Range<Int>, _ size: Int) -> [Range<Int>] {
        stride(from: range.lowerBound, to: range.upperBound, by: size).reversed().map {
            $0..<min($0 + size, range.upperBound)
        }
    }
}
