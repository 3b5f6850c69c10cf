internal import Foundation
internal import Testing

/// Runs scripts/setup.sh where the programs it asks are stand-ins that answer as told and write down each call.
@Suite struct SetupScriptTests {
    static let packages = "libopenblas-dev libzmq3-dev libssl-dev zlib1g-dev python3-pip"
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
        #expect(
            outcome.text.contains("apt-get update && apt-get install -y --no-install-recommends \(Self.packages)\n"))
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

    @Test(arguments: ["5.10.1", "6.2.3", "6.0"])
    func anOldSwiftIsNamedBesideTheOneNeeded(version: String) throws {
        let machine = try Machine(installed: true, user: 1000, swift: version)
        let outcome = try machine.setUp()
        #expect(outcome.status == 2)
        #expect(outcome.text.contains("found Swift \(version); Apus needs Swift 6.3 or later"))
    }

    @Test(arguments: ["6.3", "6.10.1", "7.0", "6.3-dev"])
    func aRecentSwiftWillDo(version: String) throws {
        let outcome = try Machine(installed: true, user: 1000, swift: version).setUp()
        #expect(outcome.status == 0)
        #expect(outcome.text.isEmpty)
    }

    @Test func aMissingSwiftIsReportedBeforeAnythingIsInstalled() throws {
        let machine = try Machine(installed: false, user: 0, swift: nil)
        let outcome = try machine.setUp()
        #expect(outcome.status == 2)
        #expect(outcome.text.contains("found no Swift; Apus needs Swift 6.3 or later"))
        #expect(try machine.calls().isEmpty)
    }

    @Test func `every place that names a Swift version names the one that the package needs`() throws {
        func text(_ name: String) throws -> String {
            try String(contentsOf: repository.appending(path: name), encoding: .utf8)
        }
        let version = try #require(try text("Package.swift").firstMatch(of: /^\/\/ swift-tools-version: (\d+\.\d+)\n/))
            .1
        #expect(try text("scripts/setup.sh").contains("\noldest_swift=\(version)\n"))
        #expect(try text("Dockerfile").contains("\nFROM swift:\(version)-"))
        for name in ["README.md", "CONTRIBUTING.md"] {
            let named = try text(name).matches(of: /Swift (\d+\.\d+)\b/).map(\.1)
            #expect(!named.isEmpty, "\(name)")
            #expect(named.allSatisfy { $0 == version }, "\(name) names Swift \(named)")
        }
    }
}

/// A machine as setup.sh sees it: its stand-ins are all of PATH.
struct Machine {
    enum Sudo { case absent, wantsPassword, free }

    private let programs: StandIns

    init(installed: Bool, user: Int, sudo: Sudo = .absent, swift: String? = "6.3.1", aptStatus: Int = 0) throws {
        programs = try StandIns()
        try programs.add("id", "echo \(user)")
        try programs.add("dpkg-query", installed ? "printf 'install ok installed'" : "exit 1")
        try programs.add("python3", "exit 1")
        try programs.add("env", "shift; exec \"$@\"")
        try programs.add("apt-get", "\(programs.record)\nexit \(aptStatus)")
        if let swift { try programs.add("swift", "echo 'Swift version \(swift) (swift-\(swift)-RELEASE)'") }
        switch sudo {
        case .absent: break
        case .wantsPassword: try programs.add("sudo", "\(programs.record)\nexit 1")
        case .free: try programs.add("sudo", "\(programs.record)\nshift; [[ $1 == true ]] || exec \"$@\"")
        }
    }

    func calls() throws -> [String] { try programs.calls() }

    func setUp() throws -> ScriptRun {
        try ScriptRun(repository.appending(path: "scripts/setup.sh"), environment: ["PATH": programs.folder.path])
    }
}
