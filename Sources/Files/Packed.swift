internal import Foundation

/// Integers that are encoded as one value, the base64 of their little-endian bytes: a JSON array would have a value for
/// each of them, and most of a step's messages are such arrays.
@propertyWrapper
package struct Packed<Element: FixedWidthInteger & UnsignedInteger & Sendable>: Codable, Sendable, Equatable {
    package var wrappedValue: [Element]

    package init(wrappedValue: [Element]) { self.wrappedValue = wrappedValue }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let bytes = try container.decode(Data.self)
        let (count, rest) = bytes.count.quotientAndRemainder(dividingBy: MemoryLayout<Element>.stride)
        guard rest == 0 else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "\(bytes.count) bytes are not numbers of \(MemoryLayout<Element>.stride) bytes each")
        }
        unsafe wrappedValue = [Element](unsafeUninitializedCapacity: count) { numbers, written in
            unsafe bytes.copyBytes(to: UnsafeMutableRawBufferPointer(numbers))
            written = count
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(unsafe wrappedValue.withUnsafeBytes { unsafe Data($0) })
    }
}
