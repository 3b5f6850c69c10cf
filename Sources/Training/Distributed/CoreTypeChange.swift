internal import Foundation
internal import Kernels

/// Changes OpenBLAS's core type, which it reads only while it is loaded: the program starts over.
package enum CoreTypeChange {
    package static let variable = "OPENBLAS_CORETYPE"
    /// Holds the core type where this program chose it by itself; its child processes inherit both.
    private static let chosen = "APUS_CORE_TYPE_CHOSEN"
    private static let limit = 15

    /// The core type that the environment asks for, unless this program put it there by itself: it decides the bits and is
    /// not the choice that another machine of the same kind would make.
    static func given(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> String? {
        guard let named = environment[variable], !named.isEmpty, environment[chosen] != named else { return nil }
        return named
    }

    /// What a user should know of ``given(_:)``; nil where there is nothing to say.
    static var note: String? {
        given().map {
            "\(variable)=\($0) is set: products are computed with \(BLASInformation.coreType)'s kernels, whose bits may differ "
                + "from this processor's own; 'env -u \(variable)' leaves the choice to Apus"
        }
    }

    /// Becomes this program anew, with the same arguments and another core type. Returns only where that fails.
    package static func startOver(with coreType: String) {
        let given = ProcessInfo.processInfo.environment[variable]
        let before = ProcessInfo.processInfo.environment[chosen]
        unsafe setenv(variable, coreType, 1)
        unsafe setenv(chosen, coreType, 1)
        unsafe execv("/proc/self/exe", CommandLine.unsafeArgv)
        if let given { unsafe setenv(variable, given, 1) } else { unsafe unsetenv(variable) }
        if let before { unsafe setenv(chosen, before, 1) } else { unsafe unsetenv(chosen) }
    }

    /// Whether this process would help by starting over with `coreType`: not where it has it already, and not blindly.
    ///
    /// A core type that the processor lacks ends a process by an illegal instruction, so a child tries it.
    /// - Parameters:
    ///   - wanted: the fingerprint needed, at `shape`.
    ///   - trial: a core type's fingerprint; nil where it cannot be had.
    static func helps(
        _ coreType: String, wanted: String, at shape: ArithmeticShape, own: String = BLASInformation.coreType,
        trial: (String, ArithmeticShape) -> String? = trial
    ) -> Bool { own != coreType && trial(coreType, shape) == wanted }

    /// The fingerprint that this machine has with a core type, computed by a process of its own.
    static func trial(_ coreType: String, at shape: ArithmeticShape) -> String? {
        report(SecureShell.executable, ["\(variable)=\(coreType)", ownProgram(), "check", "--local", "--shape", shape.text])?.fingerprint
    }

    /// What a run of `apus check --local` says; nil where it does not, or not in time.
    static func report(_ executable: String, _ arguments: [String]) -> HostReport? {
        guard let session = try? RemoteSession(executable: executable, arguments: arguments) else { return nil }
        session.endInput()
        guard case .line(let line) = session.line(before: .now() + .seconds(limit)) else { return nil }
        return try? JSONDecoder().decode(HostReport.self, from: Data(line.utf8))
    }
}
