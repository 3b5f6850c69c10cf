internal import Configuration
package import Foundation
internal import Wording

/// Disturbs a running job for the duration of a plan.
package struct ChaosVisit {
    private let launcher: pid_t
    private let options: ChaosOptions

    /// - Throws: ``InputError`` if the process is not a running launcher.
    package init(_ options: ChaosOptions, launcher: pid_t) throws {
        guard JobProcess(launcher)?.role == .launcher else {
            throw InputError(
                "process \(launcher) is not an apus launch on this machine: give the id from `pgrep -f 'apus launch'`")
        }
        self.launcher = launcher
        self.options = options
    }

    /// Over this many steps from now on.
    private static let steps = 200

    /// Disturbs the job, run after run, until its end or that of the last plan.
    /// - Parameter emit: takes a line for the user.
    package func run(emit: (String) throws -> Void) throws {
        let launcher = launcher
        let found = JobProcesses.children(of: launcher)
        guard let file = found.compactMap(\.configurationFile).first,
            let output = try? ConfigurationFile.readSaved(file, cores: 1).output,
            let place = JobProcesses.folder(of: launcher)
        else {
            throw InputError(
                "process \(launcher) has no coordinator on this machine with a run folder: is the job starting or "
                    + "ending?"
            )
        }
        let progress = RunProgressFile(output: output.hasPrefix("/") ? output : place + "/" + output)
        if found.contains(where: { $0.role == .session }) {
            try emit(
                "processes on other hosts cannot be reached from here: for their workers only the ssh sessions are "
                    + "disturbed"
            )
        }
        for number in options.first..<(options.first + options.runs) {
            let plan = ChaosPlan(
                seed: options.seed, run: number, steps: Self.steps, workers: 1,
                sparesCoordinator: options.sparesCoordinator)
            let strikes = Strikes(plan.strikes.map { $0.later(by: progress.step) }, at: progress) {
                JobProcess(launcher) == nil ? [] : JobProcesses.children(of: launcher)
            }
            strikes.begin()
            strikes.join()
            for deed in strikes.done { try emit("run \(number): \(deed)") }
            guard JobProcess(launcher) != nil else { break }
        }
        try emit(
            "compare the final SHA-256 with an undisturbed run of the command in the job's last line: "
                + "\(progress.output)"
        )
    }
}

extension ChaosPlan.Strike {
    /// The same plan, shifted for a run that has already progressed.
    fileprivate func later(by steps: Int) -> Self {
        var later = self
        if case .afterStep(let step, let delay) = moment { later.moment = .afterStep(step + steps, delay) }
        return later
    }
}

extension JobProcesses {
    /// The working folder of a process.
    fileprivate static func folder(of id: pid_t) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(id)/cwd")
    }
}
