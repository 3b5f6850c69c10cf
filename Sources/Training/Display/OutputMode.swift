internal import Foundation

/// What `--progress` may be.
package enum ProgressMode: String, Codable, CaseIterable, Sendable {
    /// One line that is drawn over again where a person looks at a terminal, otherwise lines at growing intervals.
    case auto
    /// The line, also if this is not a terminal.
    case bar
    /// Lines at growing intervals.
    case plain
    /// News only.
    case off
}

/// How this process may write, by its environment and what its streams are.
struct OutputCapabilities: Equatable, Sendable {
    /// Whether a line may be drawn over again.
    var redraws: Bool
    var colors: Bool

    /// - Parameters:
    ///   - isTerminal: whether standard output is one.
    ///   - environment: `TERM=dumb` means no codes, `NO_COLOR` no colors; a rank of an MPI launcher has a terminal of the launcher's own
    ///     making, whatever the launcher's output is.
    init(_ mode: ProgressMode, isTerminal: Bool, environment: [String: String]) {
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
