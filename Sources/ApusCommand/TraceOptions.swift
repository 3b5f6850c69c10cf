internal import ArgumentParser
internal import Logging
internal import Runs
internal import Tracing
internal import Wording

/// Whether maintainers can read what a run's processes do: docs/debugging.md.
struct TraceOptions: ParsableArguments {
    private static let variable = "APUS_LOG_LEVEL"

    @Option(
        help: ArgumentHelp(
            "Trace for maintainers on standard error: trace, debug, info and so on. (default: \(variable), or none)",
            valueName: "level"))
    var logLevel: String?

    /// - Throws: ``InputError`` if the level is unknown.
    func begin(_ invocation: Invocation) throws(InputError) {
        let variable = invocation.environment[Self.variable].flatMap { $0.isEmpty ? nil : (Self.variable, $0) }
        guard let (source, name) = logLevel.map({ ("--log-level", $0) }) ?? variable else { return }
        guard let level = Logger.Level(rawValue: name) else {
            let names = Logger.Level.allCases.map(\.rawValue)
            throw InputError(
                "\(source) is '\(name)', must be \(names.dropLast().joined(separator: ", ")) or \(names.last ?? "")")
        }
        Trace.begin(at: level)
    }
}
