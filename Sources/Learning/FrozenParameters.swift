package import BERT
internal import Foundation
internal import Tensors
package import Wording

/// Which parameters keep their source values: patterns of Hugging Face names with `*`, or the groups
/// `embeddings`, `layers N`, `layers N-M`, `encoder`, `pooler` and `classifier`.
package struct FrozenParameters: Sendable {
    private let patterns: [(given: String, globs: [String])]
    /// Adapters that are trained instead of the source's weights.
    private let lora: LoRA?

    package init(_ patterns: [String], lora: LoRA? = nil) throws(InputError) {
        self.lora = lora
        var expanded: [(String, [String])] = []
        for pattern in patterns { expanded.append((pattern, try Self.globs(pattern))) }
        self.patterns = expanded
    }

    private static func globs(_ pattern: String) throws(InputError) -> [String] {
        switch pattern {
        case "embeddings": return ["bert.embeddings.*"]
        case "encoder": return ["bert.embeddings.*", "bert.encoder.*"]
        case "pooler": return ["bert.pooler.*"]
        case "classifier": return ["classifier.*"]
        default: break
        }
        guard pattern.hasPrefix("layers ") else { return [pattern] }
        let bounds = pattern.dropFirst(7).split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...2).contains(bounds.count), let first = bounds[0], let last = bounds[bounds.count - 1], first >= 0,
            last >= first, last < 1_000
        else {
            throw InputError("--freeze '\(pattern)': expected 'layers N' or 'layers N-M' with encoder layers from 0")
        }
        return (first...last).map { "bert.encoder.layer.\($0).*" }
    }

    /// Whether a parameter is frozen.
    package func contains(_ name: String) -> Bool {
        if let lora, !BERTModel.isHead(name), !LoRA.isAdapter(name),
            !(lora.trainsPooler && name.hasPrefix("bert.pooler."))
        {
            return true
        }
        return patterns.contains { $0.globs.contains { Self.matches(name, $0) } }
    }

    /// Refuses patterns that match nothing, and freezing everything.
    package func check(_ model: BERTModel) throws(InputError) {
        for pattern in patterns {
            for glob in pattern.globs where !model.layout.entries.contains(where: { Self.matches($0.name, glob) }) {
                throw InputError(
                    "--freeze '\(pattern.given)' matches no parameter of this model: 'apus inspect MODEL' lists their "
                        + "names"
                )
            }
        }
        if model.layout.stateCount == 0 { throw InputError("--freeze leaves nothing to train: leave out a pattern") }
    }

    private static func matches(_ name: String, _ glob: String) -> Bool { unsafe fnmatch(glob, name, 0) == 0 }
}
