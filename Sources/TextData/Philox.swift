/// Philox4x32-10: random bits as a pure function of a key and a counter.
///
/// Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
package struct Philox: Equatable, Sendable {
    package typealias Block = SIMD4<UInt32>

    private let low: UInt32
    private let high: UInt32

    package init(key: UInt64) {
        low = UInt32(truncatingIfNeeded: key)
        high = UInt32(truncatingIfNeeded: key >> 32)
    }

    /// The 128 random bits of `counter`.
    package func callAsFunction(_ counter: Block) -> Block {
        var (x0, x1, x2, x3) = (counter[0], counter[1], counter[2], counter[3])
        var (k0, k1) = (low, high)
        for _ in 0..<10 {
            let first = x0.multipliedFullWidth(by: 0xD251_1F53)
            let second = x2.multipliedFullWidth(by: 0xCD9E_8D57)
            (x0, x1, x2, x3) = (second.high ^ x1 ^ k0, second.low, first.high ^ x3 ^ k1, first.low)
            k0 &+= 0x9E37_79B9
            k1 &+= 0xBB67_AE85
        }
        return Block(x0, x1, x2, x3)
    }
}
