internal import Kernels
internal import TextData

/// Normally distributed numbers as a function of key and stream: the same on every host, because no libm is involved.
///
/// Source: Marsaglia and Bray 1964, the polar method.
struct KeyedNormal {
    private let random: Philox
    private let stream: UInt32
    private var counter: UInt32 = 0
    private var spare: Double?

    /// Separates these draws from other uses of the same seed.
    private static let purpose: UInt32 = 0x494E_4954

    init(key: UInt64, stream: UInt32) {
        random = Philox(key: key)
        self.stream = stream
    }

    /// The next number, of mean 0 and deviation 1.
    mutating func next() -> Double {
        if let value = spare {
            spare = nil
            return value
        }
        while true {
            let bits = random([counter, stream, 0, Self.purpose])
            counter += 1
            let (x, y) = (Self.uniform(bits[0], bits[1]), Self.uniform(bits[2], bits[3]))
            let square = x * x + y * y
            guard square > 0, square < 1 else { continue }
            let factor = (-2 * naturalLogarithm(square) / square).squareRoot()
            spare = y * factor
            return x * factor
        }
    }

    /// A number from -1 up to but below 1.
    fileprivate static func uniform(_ high: UInt32, _ low: UInt32) -> Double {
        Double((UInt64(high) << 32 | UInt64(low)) >> 11) * 0x1p-52 - 1
    }
}

/// Numbers spread evenly from -1 up to but below 1, as a function of key and stream.
struct KeyedUniform {
    private let random: Philox
    private let stream: UInt32
    private var counter: UInt32 = 0

    /// Separates these draws from other uses of the same seed.
    private static let purpose: UInt32 = 0x554E_4946

    init(key: UInt64, stream: UInt32) {
        random = Philox(key: key)
        self.stream = stream
    }

    mutating func next() -> Double {
        let bits = random([counter, stream, 0, Self.purpose])
        counter += 1
        return KeyedNormal.uniform(bits[0], bits[1])
    }
}
