import Foundation
import Testing

@testable import Console

/// A status line on a terminal, and news above it.
@Suite struct ScreenTests {
    private static let environment = ["TERM": "xterm"]

    private func screen(_ grid: TerminalGrid, _ environment: [String: String] = Self.environment) -> Screen {
        Screen(sink: grid, environment: environment)
    }

    private func status(_ text: String) -> Screen.Status { { columns, _ in ShownText.cut(text, to: columns - 3) } }

    @Test func `news stand above the status line, which comes back`() {
        let grid = TerminalGrid(columns: 40)
        let screen = screen(grid)
        screen.say("reading")
        screen.show(status("step 1/20  loss 0.6944"))
        screen.say("epoch 1/3: loss 0.5")
        #expect(grid.rows == ["reading", "epoch 1/3: loss 0.5", "step 1/20  loss 0.6944"])
        screen.say("apus: worker 0 was ended by signal 9", on: .errors)
        #expect(
            grid.rows == [
                "reading", "epoch 1/3: loss 0.5", "apus: worker 0 was ended by signal 9", "step 1/20  loss 0.6944",
            ])
        screen.hide()
        screen.say("done")
        #expect(grid.rows == ["reading", "epoch 1/3: loss 0.5", "apus: worker 0 was ended by signal 9", "done"])
    }

    @Test func `a status line never takes a second row`() {
        for columns in 1...120 {
            let grid = TerminalGrid(columns: columns)
            let screen = screen(grid)
            let figures = ProgressFiguresTests.large
            screen.show { figures.line(columns: $0, colors: $1) }
            #expect(grid.rows.count <= 1, "\(columns): \(grid.rows)")
            screen.say("n")
            screen.hide()
            #expect(grid.rows == ["n"], "\(columns): \(grid.rows)")
        }
    }

    @Test(arguments: [79, 60, 40, 20, 10]) func `a terminal that becomes narrower keeps no broken line`(columns: Int) {
        let grid = TerminalGrid(columns: 80)
        let screen = screen(grid)
        screen.say("reading")
        let figures = ProgressFiguresTests.large
        screen.show { columns, _ in figures.line(columns: columns) }
        grid.resize(to: columns)
        screen.say("news")
        screen.hide()
        #expect(grid.rows == ["reading", "news"])
    }

    @Test func `a process that shares its terminal clears the other's line`() {
        let grid = TerminalGrid(columns: 60)
        let (coordinator, launcher) = (screen(grid), screen(grid))
        launcher.use(.auto, sharesTerminal: true)
        coordinator.show(status("step 1/20  loss 0.6944"))
        launcher.say("apus: worker 0 was ended by signal 9; a replacement starts", on: .errors)
        coordinator.say("generation 2: 2 workers")
        #expect(
            grid.rows == [
                "apus: worker 0 was ended by signal 9; a replacement starts", "generation 2: 2 workers",
                "step 1/20  loss 0.6944",
            ])
    }

    @Test(arguments: [["TERM": "dumb"], [:], ["TERM": "xterm", "OMPI_COMM_WORLD_RANK": "0"]])
    func `no code is written where nobody asked for any`(environment: [String: String]) {
        let grid = TerminalGrid(columns: 80)
        let screen = screen(grid, environment)
        screen.use(.auto, sharesTerminal: true)
        screen.show(status("step 1/20"))
        screen.say("news")
        screen.say("apus: wrong", on: .errors)
        screen.hide()
        #expect(grid.writes == ["news\n", "apus: wrong\n"])
    }

    @Test func `plain progress writes no code on a terminal, and a bar may be asked for anywhere`() {
        let grid = TerminalGrid(columns: 80)
        let plain = screen(grid)
        plain.use(.plain, sharesTerminal: true)
        plain.show(status("step 1/20"))
        plain.say("news")
        #expect(grid.writes == ["news\n"])
        let pipe = TerminalGrid(columns: 80, terminals: [])
        let bar = screen(pipe, ["COLUMNS": "30"])
        bar.use(.bar)
        bar.show { columns, colors in "\(columns) columns\(colors ? " in color" : "")" }
        #expect(pipe.rows == ["30 columns"])
    }

    @Test func `colors are for terminals whose user wants them`() {
        func colors(_ environment: [String: String], isTerminal: Bool = true, _ mode: ProgressMode = .auto) -> Bool {
            OutputCapabilities(mode, isTerminal: isTerminal, environment: environment).colors
        }
        #expect(colors(["TERM": "xterm"]))
        #expect(!colors(["TERM": "xterm", "NO_COLOR": "1"]))
        #expect(!colors(["TERM": "dumb"]))
        #expect(!colors(["TERM": "xterm"], isTerminal: false, .bar))
        #expect(!colors(["TERM": "xterm"], .plain))
    }

    @Test func `COLUMNS makes the line shorter and never longer than the terminal`() {
        for (columns, shown) in [("50", 50), ("400", 80), ("no", 80), ("-3", 80), ("0", 80)] {
            let grid = TerminalGrid(columns: 80)
            screen(grid, ["TERM": "xterm", "COLUMNS": columns]).show { columns, _ in "\(columns)" }
            #expect(grid.rows == ["\(shown)"])
        }
    }

    @Test func `nothing from outside moves the cursor`() {
        let grid = TerminalGrid(columns: 80)
        screen(grid).say("label \u{1B}[2J\r\u{9B}1A\u{202E}x\u{2028}\u{0}\u{7}\u{61C}ü語")
        #expect(grid.writes == [#"label \u{1b}[2J\u{d}\u{9b}1A\u{202e}x\u{2028}\u{0}\u{7}\u{61c}ü語"# + "\n"])
    }

    @Test func `wide characters count twice and combining ones not at all`() {
        #expect(ShownText.columns("データ.tsv") == 10)
        #expect(ShownText.columns("e\u{301}") == 1)
        #expect(ShownText.columns("🙂") == 2)
        #expect(ShownText.cut("データ.tsv", to: 6) == "デー…")
        #expect(ShownText.cut("データ.tsv", to: 10) == "データ.tsv")
        #expect(ShownText.cut("abc", to: 0) == "")
    }
}
