/// How often, and after which pause, a request is made again.
struct Patience: Equatable, Sendable {
    enum Setback: Equatable, Sendable {
        /// The connection broke after this many bytes.
        case broken(after: Int)
        /// The server has too much to do (429, 5xx), and may say for how many seconds.
        case busy(seconds: Int?)
    }

    /// Failures since the last progress.
    private var failures = 0

    static let mostFailures = 5
    /// The longest pause in seconds; a server that asks for more is not waited for.
    static let longestPause = 120
    /// Bytes that count as progress: fewer, over and over, would never end.
    static let progress = 1 << 20

    /// Seconds to wait before the next attempt; nil to give up.
    mutating func pause(after setback: Setback) -> Int? {
        if case .broken(let bytes) = setback, bytes >= Self.progress {
            failures = 0
            return 0
        }
        failures += 1
        guard failures < Self.mostFailures else { return nil }
        let usual = 1 << (failures - 1)
        guard case .busy(let seconds?) = setback else { return usual }
        return seconds <= Self.longestPause ? max(seconds, 1) : nil
    }
}
