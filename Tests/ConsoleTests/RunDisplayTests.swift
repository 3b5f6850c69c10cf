import Testing

@testable import Console

/// A run's messages in a pipe, where no line is redrawn.
@Suite struct RunDisplayTests {
    private func running(_ grid: TerminalGrid) -> RunDisplay {
        let display = RunDisplay(screen: Screen(sink: grid, environment: ["TERM": "dumb"]))
        display.setRunning(true)
        return display
    }

    @Test func `the progress of an evaluation is told at growing intervals until it is done`() {
        let grid = TerminalGrid(columns: 100)
        let display = running(grid)
        for second in 0...300 {
            let share = min(1, Double(second) / 200)
            display.tellWork("scoring the validation data", share: share, now: .now + .seconds(second))
        }
        let shares = grid.rows.map { $0.split(separator: "  ").last.map(String.init) ?? "" }
        #expect(shares.count > 5 && shares.count < 30)
        #expect(Set(shares).count == shares.count)
        #expect(!shares.contains("100 %"))
        #expect(grid.rows.allSatisfy { $0.contains("Z scoring the validation data  ") }, "\(grid.rows)")
    }

    @Test func `before the first step no progress of an evaluation is told`() {
        let grid = TerminalGrid(columns: 100)
        let display = RunDisplay(screen: Screen(sink: grid, environment: ["TERM": "dumb"]))
        display.tellWork("scoring the validation data", share: 0.5, now: .now + .seconds(100))
        #expect(grid.rows.isEmpty)
    }
}
