internal import Foundation
internal import Synchronization
internal import Wording

/// An operation that may take a while, such as reading a file: the display shows it within a second, with its progress.
package final class Activity: Sendable {
    private let name: String
    private let total: Int
    private let done = Atomic(0)
    private let hasEnded = Atomic(false)
    private let wasTold = Atomic(false)
    private let began = ContinuousClock.now
    private let pace: Mutex<ActivityPace>
    private let screen: Screen
    /// Nil once the operation has ended: then nothing more is told.
    private let ticker = Mutex<Ticker?>(nil)

    /// - Parameters:
    ///   - name: such as `reading train.tsv`.
    ///   - total: in the units of ``advance(by:)``; 0 if unknown.
    package init(_ name: String, of total: Int = 0, on screen: Screen = .shared) {
        self.name = ShownText.safe(name)
        self.total = total
        self.screen = screen
        pace = Mutex(ActivityPace(from: .now))
        let new = Ticker(after: .milliseconds(700)) { [weak self] in self?.tell() }
        ticker.withLock { $0 = new }
    }

    deinit { end() }

    /// Counts what is done, from any thread.
    package func advance(by count: Int) { done.add(count, ordering: .relaxed) }

    /// Runs `body` as a shown activity.
    package static func during<Result, Failure: Error>(
        _ name: String, of total: Int = 0, _ body: (Activity) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let activity = Activity(name, of: total)
        defer { activity.end() }
        return try body(activity)
    }

    /// Shows nothing any more; a second call does nothing.
    package func end() {
        guard !hasEnded.exchange(true, ordering: .sequentiallyConsistent) else { return }
        ticker.withLock { $0 = nil }
        if wasTold.load(ordering: .relaxed), screen.redraws { screen.hide() }
    }

    private func tell() {
        ticker.withLock { ticker in
            guard ticker != nil, screen.showsProgress else { return }
            let isFirst = !wasTold.exchange(true, ordering: .relaxed)
            let text = text
            if screen.redraws {
                screen.show { columns, _ in ShownText.cut(text, to: max(0, columns - 3)) }
            } else if isFirst {
                screen.say(name)
            } else if pace.withLock({ $0.isDue(.now, percentage: percentage) }) {
                screen.say(text)
            }
        }
    }

    private var text: String {
        let seconds = (ContinuousClock.now - began).seconds
        guard total > 0 else { return "\(name)  \(ProgressFigures.clock(seconds))" }
        return "\(name)  \(percentage) %  \(ProgressFigures.clock(seconds))"
    }

    private var percentage: Int {
        total > 0 ? Int(100 * min(1, Double(done.load(ordering: .relaxed)) / Double(total))) : 0
    }
}

/// When an activity gets another line where lines are not redrawn: when one is due, and says more than the last one.
struct ActivityPace {
    private var interval: GrowingInterval
    private var told = 0

    init(from start: ContinuousClock.Instant) { interval = GrowingInterval(from: start) }

    /// - Parameter percentage: what is done; 0 where that is unknown.
    mutating func isDue(_ now: ContinuousClock.Instant, percentage: Int) -> Bool {
        guard percentage != told, interval.isDue(now) else { return false }
        told = percentage
        return true
    }
}
