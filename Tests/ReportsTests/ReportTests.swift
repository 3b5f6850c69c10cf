import Foundation
import Testing

@testable import Files
@testable import Reports
@testable import Wording

@Suite struct ReportTests {
    /// Texts that mean something to a browser, a terminal or a reader's eye.
    private static let hostile = [
        "</script><script>alert(1)</script>", "<!--<script>", "]]>", "\u{2028}\u{2029}", "\u{1B}[2J\u{7}",
        "\u{202E}txt.exe", "\u{0}\u{8}", "\"'`\\",
        "<svg onload=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;", "{{7*7}}",
        String(repeating: "<b>", count: 300_000),
    ]

    /// A run's folder with the given lines of metrics.
    private func folder(_ metrics: String, configuration: String = "model: m\ntrain: t.tsv\noutput: o\n") throws
        -> String
    {
        let root = FileManager.default.temporaryDirectory.appending(
            path: "apus-report-\(UInt32.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: false)
        try Data(metrics.utf8).write(to: root.appending(path: "metrics.jsonl"))
        try Data(configuration.utf8).write(to: root.appending(path: "config.yaml"))
        return root.path
    }

    private func step(_ step: Int, workers: Int = 1) -> String {
        let shares = (0..<workers).map { "{\"rank\":\($0)}" }.joined(separator: ",")
        return
            "{\"event\":\"step\",\"step\":\(step),\"epoch\":1,\"loss\":\(1 / Double(step)),\"learning_rate\":0.1,"
            + "\"gradient_norm\":1.5,"
            + "\"samples\":32,\"seconds\":0.25,\"workers\":[\(shares)]}\n"
    }

    /// The data of a page, as its script reads it.
    private func data(_ page: String) throws -> JSONValue {
        let start = try #require(page.range(of: "id=\"data\">")).upperBound
        let end = try #require(page.range(of: "</script>", range: start..<page.endIndex)).lowerBound
        return try JSONValue(parsing: Array(page[start..<end].utf8))
    }

    @Test(arguments: hostile.indices)
    func `no text of the data is markup or steers a screen`(place: Int) throws {
        let text = Self.hostile[place]
        let shown = ReportText.shown(text)
        #expect(shown.unicodeScalars.count <= 600 * 12)
        for scalar in shown.unicodeScalars {
            #expect(
                ![.control, .format, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory))
        }
        let page = ReportPage.html(.object([.init("text", .string(text))]), title: text)
        #expect(try data(page)["text"]?.string == text)
        // The page's own tags and no others.
        #expect(page.matches(of: /<script/).count == 2)
        #expect(page.matches(of: /<\/script>/).count == 2)
        #expect(page.matches(of: /<(svg|img|b)\b/).isEmpty)
    }

    @Test func `a page allows its own script and style and loads nothing`() {
        let page = ReportPage.html(.object([]), title: "t")
        #expect(page.contains("default-src 'none'"))
        #expect(!page.contains("unsafe-inline"))
        #expect(page.matches(of: /(src|href)=/).isEmpty)
        #expect(
            page.matches(of: /https?:/).allSatisfy {
                page[$0.range.lowerBound...].hasPrefix("http://www.w3.org/2000/svg")
            })
    }

    @Test func `a hundred thousand steps make a small page whose curve is theirs`() throws {
        let path = try folder((1...100_000).map { step($0) }.joined())
        let run = try RunRecord(path)
        #expect(run.steps.count == 100_000)
        let page = ReportPage.html(ReportData.json([run], withTexts: true), title: "t")
        #expect(page.utf8.count < 3_000_000)
        let series = try #require(try data(page)["runs"]?.array?.first?["steps"])
        let steps = try #require(series["step"]?.array?.compactMap { $0.integer })
        #expect(steps.count <= 1_200 && steps.last == 100_000 && steps == steps.sorted())
        #expect(series["loss_high"]?.array?.first?.double == 1)
        let first = (1...steps[0]).reduce(0.0) { $0 + 1 / Double($1) } / Double(steps[0])
        #expect(abs(try #require(series["loss"]?.array?.first?.double) - first) < 1e-6)
        try FileManager.default.removeItem(atPath: path)
    }

    @Test func `a torn last line, a redone step and a diverged loss do not matter`() throws {
        let path = try folder(
            step(1, workers: 2) + step(2, workers: 1) + step(2, workers: 1)
                + "{\"event\":\"step\",\"step\":3,\"loss\":\"nan\"}\n{\"event\":\"st")
        let run = try RunRecord(path)
        #expect(run.steps.map(\.step) == [1, 2, 3])
        #expect(run.state == .stopped)
        #expect(run.events.marks.map(\.step) == [2])
        let json = ReportData.json([run], withTexts: true)
        #expect(json["runs"]?.array?.first?["steps"]?["loss"]?.array?.last == .null)
        #expect(json["note"]?.string?.isEmpty == false)
        try FileManager.default.removeItem(atPath: path)
    }

    @Test func `runs are told apart and compared by what differs`() throws {
        let first = try folder(step(1), configuration: "model: m\ntrain: t.tsv\noutput: a\nseed: 1\n")
        let second = try folder(step(1), configuration: "model: m\ntrain: t.tsv\noutput: b\nseed: 2\n")
        let runs = [try RunRecord(first), try RunRecord(second)]
        #expect(ReportData.differences(runs) == [["seed", "1", "2"]])
        let names = ReportData.names(of: runs)
        #expect(Set(names).count == 2 && names.allSatisfy { !$0.contains("/") })
        #expect(ReportData.names(of: [runs[0], runs[0]]).count == 2)
        for path in [first, second] { try FileManager.default.removeItem(atPath: path) }
    }

    @Test(arguments: [(20, "0.20"), (100, "1"), (250, "2.50")])
    func `the epochs of a run are those that it computed`(steps: Int, epochs: String) throws {
        let path = try folder(
            #"{"event":"start","after_step":0,"steps_per_epoch":100,"epochs":1}"# + "\n" + step(steps))
        try Data(#"{"steps":\#(steps),"epochs":3}"#.utf8).write(to: URL(filePath: path + "/summary.json"))
        let facts = ReportData.json([try RunRecord(path)], withTexts: true)["runs"]?.array?.first?["facts"]?.array
        #expect(facts?.first { $0.array?.first?.string == "epochs" }?.array?.last?.string == epochs)
        try FileManager.default.removeItem(atPath: path)
    }

    @Test func `a folder that is no run is refused`() throws {
        #expect(throws: InputError.self) { try RunRecord("/nowhere/run") }
        #expect(throws: InputError.self) { try RunRecord(FileManager.default.temporaryDirectory.path) }
    }

    /// A raw string has no continued lines: a backslash at a line's end would reach the browser.
    @Test func `the lines of script and style end as a browser reads them`() {
        for text in [ReportScript.text, ReportStyle.text] { #expect(!text.contains("\\\n")) }
    }
}
