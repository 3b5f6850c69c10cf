import Foundation
import Synchronization
import Testing

@testable import Processes

@Suite struct LineCutterTests {
    /// The lines of a stream that comes in pieces.
    private func lines(_ pieces: [[UInt8]]) -> [[UInt8]] {
        var cutter = LineCutter()
        var lines: [[UInt8]] = []
        for piece in pieces { cutter.take(piece) { lines.append($0) } }
        cutter.end { lines.append($0) }
        return lines
    }

    @Test func `lines come whole, however their bytes come`() {
        let bytes = Array("one\n\ntwo\nthe last".utf8)
        let expected = ["one", "", "two", "the last"].map { Array($0.utf8) }
        for first in 0...bytes.count {
            for second in first...bytes.count {
                #expect(
                    lines([Array(bytes[..<first]), Array(bytes[first..<second]), Array(bytes[second...])]) == expected)
            }
        }
    }

    @Test(arguments: [1, 1_000, LineCutter.longest, 1 << 16]) func `of a line without end only the beginning is kept`(
        piece: Int
    ) {
        let long = [UInt8](repeating: 0x41, count: 4 * LineCutter.longest)
        let bytes = long + [0x0A] + Array("next\n".utf8) + long
        let found = lines(
            stride(from: 0, to: bytes.count, by: piece).map { Array(bytes[$0..<min($0 + piece, bytes.count)]) })
        #expect(found.count == 3)
        #expect(found[1] == Array("next".utf8))
        for line in [found[0], found[2]] {
            #expect(
                line.starts(with: long[..<LineCutter.longest]) && line.count > LineCutter.longest
                    && line.count < LineCutter.longest + 100)
        }
    }

    @Test func `a line of just the longest length is left as it is`() {
        let line = [UInt8](repeating: 0x41, count: LineCutter.longest)
        #expect(lines([line + [0x0A]]) == [line])
    }

    /// Foundation's own read of a pipe ends the process here.
    @Test func `reading a pipe goes on when a signal interrupts it`() throws {
        var action = sigaction()
        unsafe action.__sigaction_handler.sa_handler = { _ in }
        unsafe sigaction(SIGUSR2, &action, nil)  // without SA_RESTART
        let pipe = Pipe()
        let reader = Mutex<pthread_t?>(nil)
        let (began, ended) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let found = Mutex<[String]>([])
        Thread.detachNewThread {
            reader.withLock { $0 = pthread_self() }
            began.signal()
            pipe.fileHandleForReading.readLines { line in
                found.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
            }
            ended.signal()
        }
        began.wait()
        let thread = try #require(reader.withLock { $0 })
        for number in 0..<200 {
            pthread_kill(thread, SIGUSR2)
            if number % 50 == 49 { try pipe.fileHandleForWriting.write(contentsOf: Data("line \(number)\n".utf8)) }
            sched_yield()
        }
        try pipe.fileHandleForWriting.close()
        ended.wait()
        #expect(found.withLock { $0 } == ["line 49", "line 99", "line 149", "line 199"])
    }
}
