/// Two examples for each group of training options, shown under the group's heading in a command's help.
enum OptionExamples {
    enum Group: String, CaseIterable {
        case data, optimization, transfer, run, cluster

        /// What follows `apus COMMAND`.
        fileprivate var examples: [String] {
            switch self {
            case .data:
                [
                    "--train reviews.csv --text-column text --label-column stars",
                    "--task masked-lm --train articles.txt --max-length 256",
                ]
            case .optimization:
                [
                    "--optimizer adamw --schedule linear --warmup-steps 0.1",
                    "--epochs 20 --metric macro-f1 --patience 3 --eval-every 200",
                ]
            case .transfer:
                [
                    "--freeze embeddings 'layers 0-3' --layer-decay 0.95",
                    "--lora-rank 8 --lora-alpha 16 --lora-targets query value",
                ]
            case .run:
                [
                    "--config reviews.yaml --checkpoint-every 500",
                    "--resume --output runs/reviews --epochs 5",
                ]
            case .cluster:
                [
                    "--min-workers 3 --max-restarts 10",
                    "--heartbeat-timeout 10 --progress-timeout 120",
                ]
            }
        }
    }

    /// The help text of `command` with the examples under its groups' headings.
    static func added(to help: String, of command: String) -> String {
        var lines: [String] = []
        for line in help.split(separator: "\n", omittingEmptySubsequences: false) {
            lines.append(String(line))
            guard let group = Group.allCases.first(where: { line == "\($0.rawValue.uppercased()):" }) else { continue }
            // One process has no cluster.
            let shown = group == .cluster && command == "train" ? "launch" : command
            lines += group.examples.map { "  $ apus \(shown) \($0)" } + [""]
        }
        return lines.joined(separator: "\n")
    }
}
