/// Reports at intervals that a coordinator waits for workers, and how to start them.
struct WaitingReminder: Sendable {
    /// How to start one; nil if a launcher does.
    let hint: String?
    private static let firstPause = Duration.seconds(15)
    private static let longestPause = Duration.seconds(600)

    /// Reports until the task is cancelled, at growing intervals.
    /// - Parameter isThere: number of connected workers.
    func begin(needed: Int, isThere: @escaping @Sendable () -> Int, say: @escaping @Sendable (String) -> Void) -> Task<
        Void, Never
    >? {
        guard let hint else { return nil }
        return Task {
            var pause = Self.firstPause
            while (try? await Task.sleep(for: pause)) != nil {
                say("still waiting for workers: \(isThere()) of \(needed) connected; start one with: \(hint)")
                pause = min(pause * 2, Self.longestPause)
            }
        }
    }
}
