/// A message of the control plane: a call, its answer, or a heartbeat.
///
/// 48 bytes of header, little-endian, then sender, recipient, target and payload:
///
///     0  magic "APUC"     4  version      5  kind         6  zero (2 bytes)
///     8  generation      12  sender's bytes              14  recipient's bytes
///    16  incarnation     24  call        32  settledBelow
///    40  target's bytes  44  payload's bytes
package struct Envelope: Equatable, Sendable {
    /// What a message is. The numbers are those on the wire.
    package enum Kind: UInt8, Sendable {
        case call = 1
        case result = 2
        case failure = 3
        case heartbeat = 4
    }

    /// Why some bytes are not an envelope.
    package enum Refusal: Error, Equatable, Sendable {
        case tooShort(byteCount: Int)
        case notAnEnvelope
        case version(UInt8)
        case kind(UInt8)
        case length(announced: Int, present: Int)
        case name
    }

    static let headerBytes = 48
    static let version: UInt8 = 1
    static let longestName = 128
    private static let magic: [UInt8] = Array("APUC".utf8)

    package var kind: Kind
    /// Generation of the sender; 0 before it has one.
    package var generation: UInt32
    /// Incarnation of the coordinator that the sender knows; 0 if none.
    package var incarnation: UInt64
    /// Number of the call, counted from 1 by the caller; an answer has the number of its call.
    package var call: UInt64 = 0
    /// The caller has its answer, or no longer waits, for every call below this one.
    package var settledBelow: UInt64 = 0
    /// Process of the sender.
    package var sender: String
    /// Name of the actor that is called; empty otherwise.
    package var recipient = ""
    /// The name of the called function, such as `worker.step`; empty otherwise.
    package var target = ""
    package var payload: [UInt8] = []

    package init(
        kind: Kind, generation: UInt32, incarnation: UInt64, call: UInt64 = 0, settledBelow: UInt64 = 0, sender: String,
        recipient: String = "",
        target: String = "", payload: [UInt8] = []
    ) {
        self.kind = kind
        self.generation = generation
        self.incarnation = incarnation
        self.call = call
        self.settledBelow = settledBelow
        self.sender = sender
        self.recipient = recipient
        self.target = target
        self.payload = payload
    }

    package var bytes: [UInt8] {
        var bytes = Self.magic
        bytes.reserveCapacity(
            Self.headerBytes + sender.utf8.count + recipient.utf8.count + target.utf8.count + payload.count)
        bytes += [Self.version, kind.rawValue, 0, 0]
        bytes.append(integer: generation)
        bytes.append(integer: UInt16(sender.utf8.count))
        bytes.append(integer: UInt16(recipient.utf8.count))
        bytes.append(integer: incarnation)
        bytes.append(integer: call)
        bytes.append(integer: settledBelow)
        bytes.append(integer: UInt32(target.utf8.count))
        bytes.append(integer: UInt32(payload.count))
        bytes += sender.utf8
        bytes += recipient.utf8
        bytes += target.utf8
        bytes += payload
        return bytes
    }
}

extension Envelope {
    /// Reads an envelope; each byte of `bytes` must belong to it.
    package init(_ bytes: [UInt8]) throws(Refusal) {
        guard bytes.count >= Self.headerBytes else { throw .tooShort(byteCount: bytes.count) }
        guard bytes.starts(with: Self.magic), bytes[6] == 0, bytes[7] == 0 else { throw .notAnEnvelope }
        guard bytes[4] == Self.version else { throw .version(bytes[4]) }
        guard let kind = Kind(rawValue: bytes[5]) else { throw .kind(bytes[5]) }
        let senderEnd = Self.headerBytes + Int(bytes.integer(at: 12, as: UInt16.self))
        let recipientEnd = senderEnd + Int(bytes.integer(at: 14, as: UInt16.self))
        let targetEnd = recipientEnd + Int(bytes.integer(at: 40, as: UInt32.self))
        let announced = targetEnd + Int(bytes.integer(at: 44, as: UInt32.self))
        guard announced == bytes.count else { throw .length(announced: announced, present: bytes.count) }
        guard senderEnd > Self.headerBytes,
            max(senderEnd - Self.headerBytes, recipientEnd - senderEnd) <= Self.longestName,
            let sender = String(exactly: bytes[Self.headerBytes..<senderEnd]),
            let recipient = String(exactly: bytes[senderEnd..<recipientEnd]),
            let target = String(exactly: bytes[recipientEnd..<targetEnd])
        else { throw .name }
        self.init(
            kind: kind, generation: bytes.integer(at: 8, as: UInt32.self),
            incarnation: bytes.integer(at: 16, as: UInt64.self),
            call: bytes.integer(at: 24, as: UInt64.self), settledBelow: bytes.integer(at: 32, as: UInt64.self),
            sender: sender,
            recipient: recipient, target: target, payload: Array(bytes[targetEnd...]))
    }
}

extension String {
    /// The text of these bytes; nil if they are not UTF-8.
    ///
    /// Decoding repairs invalid bytes, and comparing detects the repair: together they cost less than
    /// `init(validating:as:)`.
    fileprivate init?(exactly bytes: ArraySlice<UInt8>) {
        self.init(decoding: bytes, as: UTF8.self)
        guard utf8.elementsEqual(bytes) else { return nil }
    }
}

extension [UInt8] {
    /// Appends `value`, little-endian.
    mutating func append<Value: FixedWidthInteger>(integer value: Value) {
        unsafe Swift.withUnsafeBytes(of: value.littleEndian) { unsafe append(contentsOf: $0) }
    }

    /// The little-endian integer that begins at `offset`.
    func integer<Value: FixedWidthInteger>(at offset: Int, as type: Value.Type) -> Value {
        precondition(offset >= 0 && offset + MemoryLayout<Value>.size <= count, "an integer beyond the end")
        return unsafe withUnsafeBytes {
            unsafe Value(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Value.self))
        }
    }
}
