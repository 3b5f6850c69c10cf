package import Foundation

/// Encodes a value as one line, its keys in alphabetical order.
package func jsonLine(_ event: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.takesAllNumbers()
    return String(decoding: try encoder.encode(event), as: UTF8.self)
}

extension JSONEncoder {
    /// Non-finite numbers become strings, such as a diverged run's losses.
    package func takesAllNumbers() {
        nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    }
}

extension JSONDecoder {
    /// A decoder for the encoder's output, including non-finite numbers.
    package static func ofAllNumbers() -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return decoder
    }
}
