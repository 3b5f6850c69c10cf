import Foundation
import Testing

/// A proxy process before a port of this machine, whose connections are reset on demand.
final class DroppingProxy {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    let port: UInt16

    init(before target: UInt16) throws {
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", repository.appending(path: "Benchmarks/dropping_proxy.py").path, "\(target)"]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        port = try #require(UInt16(Self.line(output)))
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// Resets all connections.
    /// - Returns: how many there were.
    func drop() throws -> Int {
        try input.fileHandleForWriting.write(contentsOf: Data("\n".utf8))
        return Int(Self.line(output)) ?? 0
    }

    private static func line(_ pipe: Pipe) -> String {
        var bytes: [UInt8] = []
        while let byte = try? pipe.fileHandleForReading.read(upToCount: 1)?.first, byte != 0x0A { bytes.append(byte) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
