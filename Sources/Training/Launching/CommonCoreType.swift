internal import Dispatch
internal import Synchronization

/// Finds a core type of OpenBLAS with which this machine and hosts compute the same bits.
///
/// Each is tried in a process of its own on every machine, which ends abruptly where the processor lacks it.
struct CommonCoreType {
    let shells: [SecureShell]
    let shape: ArithmeticShape

    /// The first of this machine's core type, the hosts' and Haswell that suits all; nil where none does.
    func find(own: HostReport, reports: [HostReport]) -> String? {
        var tried: Set<String> = []
        return ([own.coreType] + reports.map(\.coreType) + ["Haswell"]).first { tried.insert($0).inserted && suitsAll($0) }
    }

    private func suitsAll(_ coreType: String) -> Bool {
        let command = ["check", "--local", "--shape", shape.text]
        guard let here = CoreTypeChange.trial(coreType, at: shape) else { return false }
        let answers = Mutex<[String?]>([])
        DispatchQueue.concurrentPerform(iterations: shells.count) { place in
            let report = CoreTypeChange.report(SecureShell.executable, shells[place].arguments(command, coreType: coreType))
            answers.withLock { $0.append(report?.fingerprint) }
        }
        return answers.withLock { $0.allSatisfy { $0 == here } }
    }
}
