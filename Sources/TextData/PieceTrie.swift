/// All tokens of a vocabulary as one trie over their UTF-8 bytes, kept in a flat hash table of edges.
///
/// An edge is found by (parent, byte); its entry holds that key in the upper 32 bits and the child in the lower 32.
/// Continuation tokens ("##ing") need no trie of their own: their search starts at the end of the prefix.
struct PieceTrie: Sendable {
    /// The most positions the tree can have: a key leaves 24 bits for the parent.
    static let capacity = 1 << 24
    static let root: UInt32 = 0

    private var edges: [UInt64]
    private var edgeCount = 0
    private var shift: UInt64
    /// The token that ends at each position, -1 if none does.
    private var endings: [Int32] = [-1]

    init() {
        edges = Array(repeating: 0, count: 1 << 10)
        shift = 64 - 10
    }

    /// Adds `piece`; a later token with the same bytes replaces an earlier one, as in the reference.
    ///
    /// Returns false, without adding it, if the trie is full.
    mutating func insert(_ piece: [UInt8], id: Int32) -> Bool {
        var position = Self.root
        for byte in piece {
            if let next = child(of: position, byte) {
                position = next
                continue
            }
            guard endings.count < Self.capacity else { return false }
            let next = UInt32(endings.count)
            endings.append(-1)
            store(Self.key(position, byte) << 32 | UInt64(next))
            edgeCount += 1
            if edgeCount * 2 > edges.count { grow() }
            position = next
        }
        endings[Int(position)] = id
        return true
    }

    /// The position that `bytes` lead to from the root, nil if no token begins with them.
    func position(after bytes: [UInt8]) -> UInt32? {
        var position = Self.root
        for byte in bytes {
            guard let next = child(of: position, byte) else { return nil }
            position = next
        }
        return position
    }

    @inline(__always)
    func child(of position: UInt32, _ byte: UInt8) -> UInt32? {
        let key = Self.key(position, byte)
        var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> shift)
        while true {
            let entry = edges[slot]
            if entry >> 32 == key, entry != 0 { return UInt32(truncatingIfNeeded: entry) }
            if entry == 0 { return nil }
            slot = (slot &+ 1) & (edges.count &- 1)
        }
    }

    @inline(__always)
    func ending(at position: UInt32) -> Int32 { endings[Int(position)] }

    @inline(__always)
    private static func key(_ position: UInt32, _ byte: UInt8) -> UInt64 { UInt64(position) << 8 | UInt64(byte) }

    private mutating func store(_ entry: UInt64) {
        var slot = Int(truncatingIfNeeded: ((entry >> 32) &* 0x9E37_79B9_7F4A_7C15) >> shift)
        while edges[slot] != 0 { slot = (slot &+ 1) & (edges.count &- 1) }
        edges[slot] = entry
    }

    private mutating func grow() {
        let old = edges
        edges = Array(repeating: 0, count: old.count * 2)
        shift -= 1
        for entry in old where entry != 0 { store(entry) }
    }
}
