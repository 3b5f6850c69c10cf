package import Coordination
internal import Files
internal import Foundation
internal import Kernels
internal import Processes
internal import Transport
internal import Wording

/// One host's report before a run: the one line that `apus check --local` prints.
struct HostReport: Codable, Equatable, Sendable {
    var version: String
    /// What it speaks; nil: a build that did not say.
    var protocols: ProtocolNumbers?
    var fingerprint: String
    /// Its arithmetic, see ``Kernels/Arithmetic``.
    var arithmetic: Int
    var arithmeticName: String
    var cores: Int
    /// Seconds since 1970.
    var clock: Double
    var freeMemoryBytes: Int
    var freeDiskBytes: Int
    /// Its endpoint during the check; others try to connect to it.
    var address: String
    var port: UInt16
    /// Equal for processes of one machine since its start; nil if unknown.
    var machine: String?

    /// This host's report.
    /// - Parameters:
    ///   - shape: the sizes of the model to train.
    ///   - address: of this host, which data links use; empty to listen nowhere.
    ///   - port: a port at which it listens.
    /// - Throws: ``BLASError`` if the run's BLAS cannot be used here.
    init(_ shape: ArithmeticShape, address: String = "", port: UInt16 = 0) throws(BLASError) {
        try shape.blas.use(threads: 1)
        version = Build.version
        protocols = .current
        fingerprint = Fingerprint.compute(shape)
        (arithmetic, arithmeticName) = (Arithmetic.number, Arithmetic.description)
        cores = ProcessorCount.usable
        clock = Date().timeIntervalSince1970
        freeMemoryBytes = Self.availableMemory()
        freeDiskBytes = Self.freeDisk(FileManager.default.temporaryDirectory.path)
        self.address = address
        self.port = port
        machine = Self.thisMachine
    }

    private static let thisMachine = SystemFile.text("/proc/sys/kernel/random/boot_id")?.split(
        whereSeparator: \.isNewline
    ).first.map(String.init)

    /// Whether a different machine considers the coordinator's address its own.
    var isLedToItself: Bool { machine != nil && machine != Self.thisMachine && TCPProbe.meansReader(address) }

    static func freeDisk(_ path: String) -> Int {
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: path)
        return (attributes?[.systemFreeSize] as? NSNumber)?.intValue ?? 0
    }

    private static func availableMemory() -> Int {
        let text = SystemFile.text("/proc/meminfo") ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
        return (line?.split(separator: " ").dropFirst().first).flatMap { Int($0) }.map { $0 << 10 } ?? 0
    }
}

/// The remote end of a check: reports, then tries every endpoint it receives, until its input ends.
///
/// Without a coordinator or interface it only reports.
package enum LocalCheck {
    package static func run(
        interface: String?, coordinator: String?, shape: ArithmeticShape, emit: (String) throws -> Void
    )
        throws
    {
        guard interface != nil || coordinator != nil else { return try emit(jsonLine(try HostReport(shape))) }
        let place = try MeshPlace(coordinator: coordinator ?? "tcp://*:*", interface: interface, keys: nil)
        let address = if case .address(let own) = place.kind, own != "*" { own } else { "0.0.0.0" }
        let listener: TCPProbe.Listener
        do { listener = try TCPProbe.Listener(address: address, port: 0) } catch { throw InputError(error.description) }
        try emit(jsonLine(try HostReport(shape, address: address, port: listener.port)))
        while let line = readLine() {
            for endpoint in line.split(separator: " ") {
                let failure = HostAddress(endpoint: String(endpoint)).flatMap { place in
                    TCPProbe.failureToReach(place.host, port: UInt16(place.port) ?? 0, within: .seconds(3))
                }
                try emit("\(endpoint) \(failure ?? "ok")")
            }
        }
    }
}
