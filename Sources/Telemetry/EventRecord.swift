internal import Foundation

/// One record of a TensorBoard event file: a message of Protocol Buffers in the framing of a TFRecord.
///
/// Framing: length (8 bytes), masked CRC-32C of these (4), message, masked CRC-32C of the message (4), all
/// little-endian. Source: tensorflow/core/lib/io/record_writer.h, tensorboard/compat/proto/event.proto and
/// summary.proto.
struct EventRecord {
    /// One value of a summary.
    enum Value {
        case scalar(String, Double)
        case text(String, String)
    }

    let bytes: [UInt8]

    private init(seconds: Double, step: Int, _ body: (inout ProtocolBuffer) -> Void) {
        var event = ProtocolBuffer()
        event.add(1, double: seconds)
        if step != 0 { event.add(2, integer: UInt64(bitPattern: Int64(step))) }
        body(&event)
        let length = Self.littleEndian(UInt64(event.bytes.count), count: 8)
        bytes =
            length + Self.littleEndian(UInt64(CRC32C.masked(length)), count: 4) + event.bytes
            + Self.littleEndian(UInt64(CRC32C.masked(event.bytes)), count: 4)
    }

    /// The first record of a file.
    static func version(seconds: Double) -> EventRecord {
        EventRecord(seconds: seconds, step: 0) { $0.add(3, text: "brain.Event:2") }
    }

    /// A record that invalidates earlier files from this step on.
    static func start(step: Int, seconds: Double) -> EventRecord {
        var session = ProtocolBuffer()
        session.add(1, integer: 1)
        return EventRecord(seconds: seconds, step: step) { $0.add(7, message: session) }
    }

    static func summary(_ values: [Value], step: Int, seconds: Double) -> EventRecord {
        var summary = ProtocolBuffer()
        for value in values { summary.add(1, message: message(value)) }
        return EventRecord(seconds: seconds, step: step) { $0.add(5, message: summary) }
    }

    private static func message(_ value: Value) -> ProtocolBuffer {
        var message = ProtocolBuffer()
        switch value {
        case .scalar(let tag, let number):
            message.add(1, text: tag)
            message.add(2, float: Float(number))
        case .text(let tag, let text):
            message.add(1, text: tag)
            var (dimension, shape, tensor) = (ProtocolBuffer(), ProtocolBuffer(), ProtocolBuffer())
            dimension.add(1, integer: 1)
            shape.add(2, message: dimension)
            tensor.add(1, integer: 7)  // DT_STRING
            tensor.add(2, message: shape)
            tensor.add(8, text: text)
            message.add(8, message: tensor)
            var (plugin, metadata) = (ProtocolBuffer(), ProtocolBuffer())
            plugin.add(1, text: "text")
            metadata.add(1, message: plugin)
            message.add(9, message: metadata)
        }
        return message
    }

    fileprivate static func littleEndian(_ value: UInt64, count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }
}

/// A message of Protocol Buffers, field by field.
private struct ProtocolBuffer {
    private(set) var bytes: [UInt8] = []

    private enum Kind: UInt64 { case varint = 0, eightBytes = 1, counted = 2, fourBytes = 5 }

    private mutating func key(_ field: UInt64, _ kind: Kind) { varint(field << 3 | kind.rawValue) }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func add(_ field: UInt64, integer: UInt64) {
        key(field, .varint)
        varint(integer)
    }

    mutating func add(_ field: UInt64, double: Double) {
        key(field, .eightBytes)
        bytes += EventRecord.littleEndian(double.bitPattern, count: 8)
    }

    mutating func add(_ field: UInt64, float: Float) {
        key(field, .fourBytes)
        bytes += EventRecord.littleEndian(UInt64(float.bitPattern), count: 4)
    }

    mutating func add(_ field: UInt64, text: String) { add(field, counted: Array(text.utf8)) }

    mutating func add(_ field: UInt64, message: ProtocolBuffer) { add(field, counted: message.bytes) }

    private mutating func add(_ field: UInt64, counted: [UInt8]) {
        key(field, .counted)
        varint(UInt64(counted.count))
        bytes += counted
    }
}

/// The checksum of TFRecords: CRC-32C (Castagnoli, reflected polynomial 0x82F63B78).
enum CRC32C {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
    }

    static func of(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { table[Int(($0 ^ UInt32($1)) & 0xFF)] ^ $0 >> 8 }
    }

    /// Rotated and shifted, so that checksums of data that contains checksums are not trivial.
    static func masked(_ bytes: [UInt8]) -> UInt32 {
        let sum = of(bytes)
        return (sum >> 15 | sum << 17) &+ 0xA282_EAD8
    }
}
