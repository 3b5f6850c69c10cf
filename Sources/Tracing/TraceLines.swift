internal import Foundation
package import Logging

/// Writes each message as one line: time, process, level, part, message, metadata in order of their names.
package struct TraceLines: LogHandler {
    package var logLevel = Logger.Level.trace
    package var metadata: Logger.Metadata = [:]
    private let part: String
    private let isTerminal = isatty(STDERR_FILENO) == 1

    package init(part: String) { self.part = part }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        // On a terminal over the line that shows the progress, which is drawn again.
        let line = (isTerminal ? "\r\u{1B}[K" : "") + line(event, at: Date()) + "\n"
        let bytes = Array(line.utf8)
        // One call, so that lines of several processes do not mix. A failed write is ignored: a trace ends no run.
        _ = unsafe bytes.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    /// A value is one word or in quotes, and never more than one line.
    private static func shown(_ value: Logger.MetadataValue) -> String {
        let text = "\(value)"
        return text.contains(" ") ? "\"\(text)\"" : text
    }

    func line(_ event: LogEvent, at time: Date) -> String {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let words =
            [
                time.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)),
                String(getpid()), event.level.rawValue, part + ":", "\(event.message)",
            ] + all.sorted { $0.key < $1.key }.map { "\($0.key)=\(Self.shown($0.value))" }
        // A name of a process comes from that process.
        return words.joined(separator: " ").unicodeScalars.reduce(into: "") { line, scalar in
            let isControl = scalar.properties.generalCategory == .control
            line += isControl ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
        }
    }
}
