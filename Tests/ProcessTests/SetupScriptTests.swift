internal import Foundation
internal import Testing

/// Runs scripts/setup.sh where the programs it asks are stand-ins that answer as told and write down each call.
@Suite struct SetupScriptTests {
    static let packages = "libopenblas-dev libzmq3-dev python3-pip"
    static let installation = [
        "apt-get -qq -o DPkg::Lock::Timeout=120 update",
        "apt-get -qq -o DPkg::Lock::Timeout=120 install -y --no-install-recommends \(packages)",
    ]

    @Test func rootInstallsWhatIsMissingWithoutQuestions() throws {
        let machine = try Machine(installed: false, user: 0)
        let outcome = try machine.setUp()
        #expect(outcome.status == 0)
        #expect(try machine.calls() == Self.installation)
    }

    @Test func anotherUserInstallsThroughSudo() throws {
        let machine = try Machine(installed: false, user: 1000, sudo: .free)
        let outcome = try machine.setUp()
        #expect(outcome.status == 0)
        let throughSudo = Self.installation.flatMap { ["sudo -n env DEBIAN_FRONTEND=noninteractive \($0)", $0] }
        #expect(try machine.calls() == ["sudo -n true"] + throughSudo)
    }

    @Test(arguments: [Machine.Sudo.absent, .wantsPassword])
    func withoutRootAndSudoTheExactCommandIsPrinted(sudo: Machine.Sudo) throws {
        let machine = try Machine(installed: false, user: 1000, sudo: sudo)
        let outcome = try machine.setUp()
        #expect(outcome.status == 2)
        #expect(outcome.text.contains("apt-get update && apt-get install -y --no-install-recommends \(Self.packages)\n"))
        #expect(try machine.calls().filter { $0.hasPrefix("apt-get") }.isEmpty)
    }

    @Test func withEverythingPresentItIsSilentAndCallsNobody() throws {
        let machine = try Machine(installed: true, user: 1000)
        let outcome = try machine.setUp()
        #expect(outcome.status == 0)
        #expect(outcome.text.isEmpty)
        #expect(try machine.calls().isEmpty)
    }

    @Test func aFailedInstallationIsReported() throws {
        let machine = try Machine(installed: false, user: 0, aptStatus: 100)
        let outcome = try machine.setUp()
        #expect(outcome.status == 2)
        #expect(outcome.text.contains("apt-get could not install \(Self.packages)"))
    }

    @Test(arguments: ["5.10.1", "6.1.2", "6.0"])
    func anOldSwiftIsNamedBesideTheOneNeeded(version: String) throws {
        let machine = try Machine(installed: true, user: 1000, swift: version)
        let outcome = try machine.setUp()
        #expect(outcome.status == 2)
        #expect(outcome.text.contains("found Swift \(version); Swift 6.2 or later is needed"))
    }

    @Test(arguments: ["6.2", "6.10.1", "7.0", "6.3-dev"])
    func aRecentSwiftWillDo(version: String) throws {
        let outcome = try Machine(installed: true, user: 1000, swift: version).setUp()
        #expect(outcome.status == 0)
        #expect(outcome.text.isEmpty)
    }

    @Test func aMissingSwiftIsReportedBeforeAnythingIsInstalled() throws {
        let machine = try Machine(installed: false, user: 0, swift: nil)
        let outcome = try machine.setUp()
        #expect(outcome.status == 2)
        #expect(outcome.text.contains("found no Swift; Swift 6.2 or later is needed"))
        #expect(try machine.calls().isEmpty)
    }
}

/// A folder of programs that stands for a machine: it is all of PATH.
final class Machine {
    enum Sudo { case absent, wantsPassword, free }

    private let folder: URL

    init(installed: Bool, user: Int, sudo: Sudo = .absent, swift: String? = "6.3.1", aptStatus: Int = 0) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "apus-setup-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try write("id", "echo \(user)")
        try write("dpkg-query", installed ? "printf 'install ok installed'" : "exit 1")
        try write("python3", "exit 1")
        try write("env", "shift; exec \"$@\"")
        try write("apt-get", "\(record)\nexit \(aptStatus)")
        if let swift { try write("swift", "echo 'Swift version \(swift) (swift-\(swift)-RELEASE)'") }
        switch sudo {
        case .absent: break
        case .wantsPassword: try write("sudo", "\(record)\nexit 1")
        case .free: try write("sudo", "\(record)\nshift; [[ $1 == true ]] || exec \"$@\"")
        }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private var record: String { "echo \"${0##*/} $*\" >>'\(folder.path)/calls'" }

    private func write(_ program: String, _ body: String) throws {
        let file = folder.appending(path: program)
        try "#!/bin/bash\n\(body)\n".write(to: file, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
    }

    /// The calls written down so far, in order.
    func calls() throws -> [String] {
        let file = folder.appending(path: "calls")
        guard FileManager.default.fileExists(atPath: file.path) else { return [] }
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    /// Runs the script to its end; `text` is all that it printed.
    func setUp() throws -> (status: Int32, text: String) {
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../scripts/setup.sh")
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = [script.standardizedFileURL.path]
        process.environment = ["PATH": folder.path]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: text, as: UTF8.self))
    }
}
