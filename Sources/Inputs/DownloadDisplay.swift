internal import Console
internal import Files
internal import Foundation
internal import Hub

/// Shows on standard error how far a download is, because standard output may hold answers.
///
/// A file of more than a megabyte has a line, and below it the bytes so far: redrawn on a terminal, elsewhere in new
/// lines at growing intervals.
final class DownloadDisplay {
    private let redraws = OutputCapabilities(
        .auto, isTerminal: isatty(STDERR_FILENO) == 1, environment: ProcessInfo.processInfo.environment
    ).redraws
    private var (file, done, size) = ("", 0, 0)
    private var drawnAt: ContinuousClock.Instant?
    private var pace = GrowingInterval(from: .now)

    /// What a download tells this display.
    var watch: DownloadWatch {
        DownloadWatch(
            begins: { self.begin($0, $1) }, advances: { self.advance($0) }, ends: { self.clear() },
            says: { self.say($0) })
    }

    private func begin(_ name: String, _ bytes: Int) {
        (file, done, size) = (name, 0, bytes)
        pace = GrowingInterval(from: .now)
        if bytes > 1_000_000 { say("downloading \(name), \(ByteText(bytes))") }
    }

    private func advance(_ count: Int) {
        done += count
        guard size > 1_000_000, Screen.shared.showsProgress else { return }
        let line = "  \(ByteText(done)) of \(ByteText(size))"
        if redraws {
            let now = ContinuousClock.now
            if let drawnAt, now - drawnAt < .milliseconds(250) { return }
            drawnAt = now
            write("\r\u{1B}[K\(line)")
        } else if pace.isDue(.now) {
            say("\(file):\(line)")
        }
    }

    private func say(_ line: String) {
        clear()
        sayToUser(line)
    }

    private func clear() {
        if drawnAt != nil { write("\r\u{1B}[K") }
        drawnAt = nil
    }

    private func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}
