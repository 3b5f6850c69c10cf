package import Configuration
internal import Files
internal import Foundation
internal import Kernels
package import Wording

/// The commands that resume a run as it was started: they repeat all options about where the run is computed.
extension Invocation {
    /// The command that resumes what a launcher started.
    package func resuming(_ options: LaunchOptions) -> String {
        var words = ["launch"]
        if let cluster = options.cluster { words += ["--cluster", cluster] }
        if let workers = options.workers { words += ["--workers", String(workers)] }
        if options.threadsGiven { words += ["--threads", String(options.configuration.threads)] }
        if options.single { words.append("--single") }
        if options.debug { words.append("--debug") }
        return line(words, options.configuration)
    }

    /// The same for a process that was started by hand, from its command line and the variables that name its keys.
    package func resuming(_ configuration: TrainingConfiguration) -> String {
        let words = Array(arguments.dropFirst())
        guard words.first == "coordinate" else {
            return line(["train"] + Self.kept(["--threads", "--debug"], of: words), configuration)
        }
        let flags = ["--workers", "--endpoint", "--rendezvous-timeout", "--health-file", "--threads"]
        let command = line(["coordinate"] + Self.kept(flags, of: words), configuration)
        guard !configuration.insecure else { return command }
        if let file = environment[KeyVariables.file], !file.isEmpty {
            return "\(KeyVariables.file)=\(shellQuoted(file)) \(command)"
        }
        // A secret does not belong into a log.
        return environment[KeyVariables.secret]?.isEmpty == false ? "\(KeyVariables.secret)=… \(command)" : command
    }

    /// The same for a job whose processes an engine placed. Where the engine's command line cannot be seen, its
    /// variables tell.
    ///
    /// - Parameter parent: the command line of the process that started this one. If it ends in this one's, what comes
    ///   before is the launcher with its own options.
    package func resuming(
        _ configuration: TrainingConfiguration, ranks: Int, parent: [String] = Self.parentsArguments
    ) -> String {
        let words = Array(arguments.dropFirst())
        let flags = ["--cluster", "--interface", "--threads", "--insecure", "--exchange"]
        let own = [arguments.first ?? "apus", "work"] + Self.kept(flags, of: words) + Self.output(configuration)
        func command(_ launcher: [String]) -> String {
            coreType(configuration) + (launcher + own).map(shellQuoted).joined(separator: " ")
        }
        let launchers: Set = [
            "mpirun", "mpiexec", "mpiexec.hydra", "orterun", "prterun", "srun", "torchrun", "hydra_pmi_proxy",
        ]
        let program = (parent.first ?? "").split(separator: "/").last.map(String.init) ?? ""
        let isLauncher = launchers.contains(program) || parent.prefix(3).contains { $0.hasSuffix("/torchrun") }
        if isLauncher, parent.count > arguments.count, parent.suffix(arguments.count).elementsEqual(arguments) {
            return command(Array(parent.dropLast(arguments.count)))
        }
        if environment["OMPI_COMM_WORLD_RANK"] != nil || environment["PMI_RANK"] != nil {
            return command(["mpirun", "-np", String(ranks)])
        }
        if environment["SLURM_PROCID"] != nil {
            let nodes = environment["SLURM_STEP_NUM_NODES"] ?? environment["SLURM_JOB_NUM_NODES"]
            let processors = environment["SLURM_CPUS_PER_TASK"]
            return command(
                ["srun"] + (nodes.map { ["--nodes=\($0)"] } ?? []) + ["--ntasks=\(ranks)"]
                    + (processors.map { ["--cpus-per-task=\($0)"] } ?? []))
        }
        return "\(command([])) in each of the \(ranks) ranks"
    }

    private static func output(_ configuration: TrainingConfiguration) -> [String] {
        ["--resume", "--output", configuration.output]
    }

    private func line(_ words: [String], _ configuration: TrainingConfiguration) -> String {
        coreType(configuration)
            + ([program] + (words + Self.output(configuration)).map(shellQuoted)).joined(separator: " ")
    }

    /// The assignment of OpenBLAS's core type, if this process was started with one and the run depends on it.
    private func coreType(_ configuration: TrainingConfiguration) -> String {
        let name = OpenBLAS.coreTypeVariable
        guard configuration.blas == .openblas, let type = environment[name], !type.isEmpty else { return "" }
        return "\(name)=\(shellQuoted(type)) "
    }

    /// Those of `flags` that a command line has, each with its value; flags without values are among them.
    private static func kept(_ flags: [String], of words: [String]) -> [String] {
        let alone = ["--debug", "--insecure"]
        var kept: [String] = []
        var index = words.startIndex
        while index < words.endIndex {
            let parts = words[index].split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
                String.init)
            let name = parts[0].replacing("_", with: "-")
            index += 1
            guard flags.contains(name) else { continue }
            if alone.contains(name) {
                kept.append(name)
            } else if parts.count == 2 {
                kept += [name, parts[1]]
            } else if index < words.endIndex {
                kept += [name, words[index]]
                index += 1
            }
        }
        return kept
    }

    /// The command line of the process that started this one.
    package static var parentsArguments: [String] {
        guard let bytes = SystemFile.contents("/proc/\(getppid())/cmdline") else { return [] }
        return bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast().map {
            String(decoding: $0, as: UTF8.self)
        }
    }
}

extension SignalStop {
    /// The end of a run that a signal stopped, with the command that goes on.
    /// - Parameter how: what it did then, such as ` while waiting for workers`.
    package init(signal: Int32, after step: Int, _ how: String = "", resumeCommand: String) {
        self.init(
            signal: signal,
            step == 0
                ? "stopped before the first step\(how); start it with: \(resumeCommand)"
                : "stopped after step \(step)\(how); resume with: \(resumeCommand)")
    }
}
