internal import Foundation

/// Disturbs a job that somebody else launched, as long as a plan says.
struct ChaosVisit {
    private let launcher: pid_t
    private let options: ChaosOptions

    /// - Throws: ``InputError`` where there is no such launcher.
    init(_ options: ChaosOptions, launcher: pid_t) throws {
        guard JobProcess(launcher)?.role == .launcher else {
            throw InputError("process \(launcher) is no apus launch on this machine: give the id that `pgrep -f 'apus launch'` shows")
        }
        self.launcher = launcher
        self.options = options
    }

    /// Over this many steps from now on.
    private static let steps = 200

    func run(emit: (String) throws -> Void) throws {
        let launcher = launcher
        let found = JobProcesses.children(of: launcher)
        guard let file = found.compactMap(\.configurationFile).first,
            let output = try? ConfigurationFile.readSaved(file, cores: 1).output, let place = JobProcesses.folder(of: launcher)
        else { throw InputError("process \(launcher) has no coordinator on this machine that tells of its run: is the job just beginning or ending?") }
        let progress = RunProgressFile(output: output.hasPrefix("/") ? output : place + "/" + output)
        if found.contains(where: { $0.role == .session }) {
            try emit("processes on other hosts cannot be reached from here: of their workers only the ssh sessions are disturbed")
        }
        for number in options.first..<(options.first + options.runs) {
            let plan = ChaosPlan(
                seed: options.seed, run: number, steps: Self.steps, workers: 1, sparesCoordinator: options.sparesCoordinator)
            let strikes = Strikes(plan.strikes.map { $0.later(by: progress.step) }, at: progress) {
                JobProcess(launcher) == nil ? [] : JobProcesses.children(of: launcher)
            }
            strikes.begin()
            strikes.join()
            for deed in strikes.done { try emit("run \(number): \(deed)") }
            guard JobProcess(launcher) != nil else { break }
        }
        try emit("compare the SHA-256 at the job's end with that of its last line's command, undisturbed: \(progress.output)")
    }
}

extension ChaosPlan.Strike {
    /// The same as of a run that is already so far.
    fileprivate func later(by steps: Int) -> Self {
        var later = self
        if case .afterStep(let step, let delay) = moment { later.moment = .afterStep(step + steps, delay) }
        return later
    }
}

extension JobProcesses {
    /// The working folder of a process.
    fileprivate static func folder(of id: pid_t) -> String? { try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(id)/cwd") }
}
