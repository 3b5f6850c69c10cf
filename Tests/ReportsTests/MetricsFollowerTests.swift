import Foundation
import Testing

@testable import Files
@testable import Reports
@testable import Watching

/// Files that grow, are cut, replaced, or are none.
@Suite final class MetricsFollowerTests {
    private let folder = FileManager.default.temporaryDirectory.appending(
        path: "apus-t-\(UInt32.random(in: 0 ... .max))")
    private var path: String { folder.appending(path: "metrics.jsonl").path }

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false) }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private func line(_ step: Int, loss: Double = 1) -> String {
        "{\"epoch\":1,\"event\":\"step\",\"loss\":\(loss),\"samples\":2,\"seconds\":0.5,\"step\":\(step)}\n"
    }

    private func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: path)) }

    private func append(_ text: String) throws {
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
    }

    @Test func `lines count once they are whole`() throws {
        let followed = Followed(path)
        #expect(!followed.look())
        try write(line(1) + line(2).dropLast(20))
        #expect(followed.look())
        #expect(followed.steps == [1])
        #expect(!followed.look())
        try append(String(line(2).suffix(20)) + line(3))
        #expect(followed.look())
        #expect(followed.steps == [1, 2, 3])
    }

    @Test func `a file that was cut and went on is read again`() throws {
        let followed = Followed(path)
        try write(line(1) + line(2) + line(3))
        _ = followed.look()
        let file = try FileHandle(forUpdating: URL(filePath: path))
        try file.truncate(atOffset: UInt64(line(1).utf8.count))
        try file.close()
        // As long as before, and longer.
        try append(line(2, loss: 5) + line(3, loss: 5) + line(4))
        #expect(followed.look())
        #expect(followed.steps == [1, 2, 3, 4])
        #expect(followed.losses == [1, 5, 5, 1])
    }

    @Test func `a replaced, a missing and an odd file leave nothing behind`() throws {
        let followed = Followed(path)
        try write(line(1) + line(2))
        _ = followed.look()
        try FileManager.default.removeItem(atPath: path)
        try write(line(7))
        #expect(followed.look())
        #expect(followed.steps == [7])
        try FileManager.default.removeItem(atPath: path)
        #expect(followed.look())
        #expect(followed.steps.isEmpty)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        #expect(!followed.look())
        #expect(followed.steps.isEmpty)
    }

    @Test func `a recomputed step counts once, in its place`() throws {
        let followed = Followed(path)
        try write(line(1) + line(2) + line(3) + line(2, loss: 4) + line(5) + line(4))
        _ = followed.look()
        #expect(followed.steps == [1, 2, 3, 4, 5])
        #expect(followed.losses == [1, 4, 1, 1, 1])
    }

    @Test func `numbers and names that nobody wrote do no harm`() throws {
        let followed = Followed(path)
        let odd = "{\"event\":\"step\",\"step\":9223372036854775807}\n{\"event\":\"step\",\"step\":-3}\n[]\n\u{0}\n"
        let large =
            "{\"event\":\"step\",\"step\":4,\"samples\":9223372036854775807,\"source_samples\":9223372036854775807}\n"
        let workers =
            "{\"after_step\":9223372036854775807,\"event\":\"generation\",\"generation\":-1,\"workers\":[7,"
            + "{\"rank\":9223372036854775807,\"host\":\"<b>\\u001b[2J\",\"first_lane\":9223372036854775807,"
            + "\"lanes\":2}]}\n"
        let start = "{\"event\":\"start\",\"after_step\":-1,\"total_steps\":9223372036854775807}\n"
        try write(odd + large + start + workers + String(repeating: "x", count: 2_000_000) + "\n" + line(5))
        _ = followed.look()
        #expect(followed.steps == [4, 5])
        let run = try RunRecord(folder.path, following: followed.events)
        let status = LiveStatus(run, log: [])
        #expect(status.workers.map(\.host) == ["?", "<b>⟨U+001B⟩[2J"])
        #expect(!status.json.line.contains("\u{1B}"))
        #expect(!TerminalWatch.overview(status).joined().contains("\u{1B}"))
        #expect(PrometheusText.text(status).contains("apus_run_state{state=\"stopped\"} 1.0\n"))
    }
}

/// A follower that expectations can look through.
private final class Followed {
    private var follower: MetricsFollower

    init(_ path: String) { follower = MetricsFollower(path) }

    func look() -> Bool { follower.refresh() }

    var events: RunEvents { follower.events }
    var steps: [Int] { events.steps.map(\.step) }
    var losses: [Double] { events.steps.map(\.loss) }
}
