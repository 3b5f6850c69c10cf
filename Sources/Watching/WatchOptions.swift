/// The options of `apus watch`.
package struct WatchOptions: Sendable {
    package var run: String
    /// Where to serve; nil: loopback, at a free port.
    package var address: String?
    package var withTexts: Bool
    /// Whether a command that trains has started it: the run may begin later, and its standard input ends with the
    /// run's.
    package var isStartedByRun: Bool

    package init(run: String, address: String?, withTexts: Bool, isStartedByRun: Bool) {
        self.run = run
        self.address = address
        self.withTexts = withTexts
        self.isStartedByRun = isStartedByRun
    }
}
