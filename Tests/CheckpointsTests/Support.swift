import Foundation
import Synchronization

@testable import Checkpoints

/// A fresh folder, removed with its last user.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/apus-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func callAsFunction(_ name: String) -> String { path + "/" + name }

    @discardableResult
    func write(_ bytes: [UInt8], to name: String) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: self(name)))
        return self(name)
    }

    @discardableResult
    func write(_ text: String, to name: String) throws -> String { try write(Array(text.utf8), to: name) }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A small generator with a fixed sequence, so that every run of a test sees the same numbers.
struct FixedSequence: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 2 &+ 1 }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 29) ^ state
    }
}

let goldenFolder =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path + "/Fixtures/golden"

func names(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
}

/// A tensor whose elements count up from `first`.
func tensor(_ name: String, _ shape: [Int], from first: Float = 0) -> SafetensorsWriter.Tensor {
    let values = (0..<shape.reduce(1, *)).map { first + Float($0) * 0.5 }
    return SafetensorsWriter.Tensor(name, shape) { body in body(values.span) }
}

/// The bytes of a safetensors file with this header, its length, and this many bytes of data.
func safetensors(_ header: String, data: Int = 0, length: UInt64? = nil) -> [UInt8] {
    let length = length ?? UInt64(header.utf8.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) } + Array(header.utf8)
        + [UInt8](repeating: 0, count: data)
}

/// Counts up from 0.
final class Counter: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
        count.withLock { count in
            defer { count += 1 }
            return count
        }
    }

    var value: Int { count.withLock { $0 } }
}
