internal import Foundation

/// The values of `--progress`.
package enum ProgressMode: String, Codable, CaseIterable, Sendable {
    /// A redrawn line if a person watches a terminal, otherwise lines at growing intervals.
    case auto
    /// The redrawn line, even if this is not a terminal.
    case bar
    /// Lines at growing intervals.
    case plain
    /// Only news, no progress.
    case off
}

/// How this process may write, from its environment and streams.
package struct OutputCapabilities: Equatable, Sendable {
    /// Whether a line may be redrawn.
    package var redraws: Bool
    var colors: Bool

    /// - Parameters:
    ///   - isTerminal: whether standard output is one.
    ///   - environment: `TERM=dumb` means no codes, `NO_COLOR` no colors; a rank of an MPI launcher has a terminal
    ///     created by the launcher, independent of the launcher's output.
    package init(_ mode: ProgressMode, isTerminal: Bool, environment: [String: String]) {
        let isDumb = (environment["TERM"] ?? "").isEmpty || environment["TERM"] == "dumb"
        let isForwarded = ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"].contains { environment[$0] != nil }
        redraws =
            switch mode {
            case .auto: isTerminal && !isDumb && !isForwarded
            case .bar: true
            case .plain, .off: false
            }
        colors = redraws && isTerminal && !isDumb && (environment["NO_COLOR"] ?? "").isEmpty
    }
}
