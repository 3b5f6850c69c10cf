internal import Foundation

/// The full canonical decomposition of one character, and its combining class, both from Unicode 9.0 as in
/// Hugging Face's tables: a later character decomposes to itself and is not reordered.
extension Unicode.Scalar {
    func appendDecomposition(to scalars: inout [Unicode.Scalar]) {
        if (0xAC00...0xD7A3).contains(value) {
            appendHangulParts(to: &scalars)
        } else if mayDecompose, isAssigned(before: 10) {
            scalars.append(contentsOf: String(Character(self)).decomposedStringWithCanonicalMapping.unicodeScalars)
        } else {
            scalars.append(self)
        }
    }

    /// 0 for a character that is not reordered.
    var combiningClass: UInt8 {
        let found = properties.canonicalCombiningClass
        return found == .notReordered || !isAssigned(before: 10) ? 0 : found.rawValue
    }

    /// Source: The Unicode Standard, section 3.12.
    private func appendHangulParts(to scalars: inout [Unicode.Scalar]) {
        let index = value - 0xAC00
        for part in [0x1100 + index / 588, 0x1161 + index % 588 / 28] { scalars.append(Self(part)!) }
        if index % 28 != 0 { scalars.append(Self(0x11A7 + index % 28)!) }
    }

    /// False for the blocks known to have no decomposable character, including the large ones of common text.
    private var mayDecompose: Bool {
        switch value {
        case 0..<0xC0, 0x3100..<0xF900, 0xFB50..<0x11000, 0x12000..<0x16000, 0x17000..<0x1D100, 0x1D200..<0x2F800: false
        default: true
        }
    }
}
