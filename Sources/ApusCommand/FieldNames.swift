internal import Training

/// Names that other trainers give to the same options, understood wherever training options are.
enum FieldNames {
    static let ours = [
        "--output-dir": "--output",
        "--lr": "--learning-rate",
        "--num-train-epochs": "--epochs",
        "--lr-scheduler-type": "--schedule",
        "--gradient-accumulation-steps": "--accumulate",
        "--nproc-per-node": "--workers",
    ]
    static let perDevice = "--per-device-train-batch-size"
    private static let commands: Set = ["train", "coordinate", "launch", "work"]

    struct PerDeviceBatch: BadInput {
        var description: String {
            "\(perDevice) is not an option: the batch is global here, never per worker: give --batch-size, that figure times the workers"
        }
    }

    /// The arguments in this program's own names; the `--` that may stand before launch's training options is dropped.
    static func translated(_ arguments: [String]) throws(PerDeviceBatch) -> [String] {
        guard let command = arguments.first, commands.contains(command) else { return arguments }
        var translated: [String] = []
        for argument in arguments {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = parts.first.map(String.init) ?? ""
            if name == perDevice { throw PerDeviceBatch() }
            let rest = parts.count > 1 ? "=\(parts[1])" : ""
            // Only launch starts workers.
            let known = name == "--nproc-per-node" && command == "work" ? nil : ours[name]
            translated.append(known.map { $0 + rest } ?? argument)
        }
        if command == "launch", let index = translated.firstIndex(of: "--") { translated.remove(at: index) }
        return translated
    }
}
