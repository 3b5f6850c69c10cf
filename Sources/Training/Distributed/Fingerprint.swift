internal import Checkpoints
internal import Foundation
internal import Kernels
internal import Tensors
internal import Transport

/// What this machine computes with, as far as it decides bits, and where it is.
enum Fingerprint {
    /// SHA-256 over fixed matrix products and vector functions at shapes of the model's kind.
    ///
    /// Equal fingerprints give equal bits; unequal ones must not add up gradients.
    static func compute() -> String {
        func values(_ count: Int, _ seed: UInt32) -> FloatView {
            let view = FloatBuffer(count: count).view
            var state = seed
            for place in 0..<count {
                state = state &* 1_664_525 &+ 1_013_904_223
                view[place] = Float(Int32(bitPattern: state) >> 8) * 0x1p-22
            }
            return view
        }
        var bytes: [UInt8] = []
        func add(_ view: FloatView) {
            for value in view.array { for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt32(shift))) } }
        }
        for (m, n, k) in [(107, 384, 384), (27, 27, 32), (384, 96, 350), (33, 768, 96)] {
            let (a, b) = (Matrix(values(m * k, 1), rows: m, columns: k), Matrix(values(k * n, 2), rows: k, columns: n))
            let c = Matrix(FloatBuffer(count: m * n).view, rows: m, columns: n)
            multiply(a, .plain, b, .plain, into: c)
            add(c.elements)
            let d = Matrix(FloatBuffer(count: m * m).view, rows: m, columns: m)
            multiply(a, .plain, a, .transposed, into: d)
            add(d.elements)
        }
        let x = values(1_003, 3)
        exponential(x, into: x)
        add(x)
        let y = Matrix(values(1_003, 4), rows: 1, columns: 1_003)
        activateInPlace(.gelu, bias: FloatBuffer(count: 1_003).view, y)
        add(y.elements)
        return String(Digests.bytes(bytes).prefix(16))
    }

    /// Equal for processes that may share memory: same kernel, same namespaces.
    static var host: String {
        let boot = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? "?"
        let spaces = ["net", "ipc", "mnt"].map { (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/\($0)")) ?? "?" }
        return ([boot.trimmingCharacters(in: .whitespacesAndNewlines)] + spaces).joined(separator: " ")
    }

    /// Who this process is.
    static func identity(threads: Int, key: PublicKey? = nil) -> WorkerIdentity {
        WorkerIdentity(
            version: Build.version, fingerprint: compute(), host: host, hostName: ProcessInfo.processInfo.hostName, processID: getpid(),
            threads: threads, key: key)
    }
}

/// Which build this is.
package enum Build {
    package static let version = "0.1.0"
}
