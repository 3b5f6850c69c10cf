import Foundation
import Synchronization
import Testing

@testable import Processes

@Suite struct ProcessorListTests {
    @Test(
        arguments: [
            ("0", [0]), ("0-3", [0, 1, 2, 3]), ("0-3,8-11\n", [0, 1, 2, 3, 8, 9, 10, 11]), ("5,3,3-4", [3, 4, 5]),
            ("7-7", [7]), ("\t0,2,4\n", [0, 2, 4]), ("", []), ("\n", []), ("1048575", [1_048_575]),
        ] as [(String, [Int])])
    func `a list is read in the kernel's notation`(text: String, numbers: [Int]) {
        #expect(ProcessorList(text)?.numbers == numbers)
    }

    @Test(
        arguments: [
            "x", "0-", "-3", "3-1", "0,,1", ",", "0,", "0-1-2", "+1", "0 1", "0x1", "1048576", "0-99999999999999999999",
            "99999999999999999999", "0-3:1/2", "all", "\u{0}", "٣",
        ])
    func `other text is not a list`(text: String) { #expect(ProcessorList(text) == nil) }

    @Test func `a list is written as it is read`() {
        for (numbers, text) in [
            ([], ""), ([4], "4"), ([0, 1], "0-1"), ([8, 3, 2, 1, 10, 9, 20], "1-3,8-10,20"), ([0, 2, 4], "0,2,4"),
        ] {
            #expect(ProcessorList(numbers).text == text)
            #expect(ProcessorList(text) == ProcessorList(numbers))
        }
    }

    /// What this process may use, as the kernel says.
    private static func allowed(ofThread thread: String) throws -> ProcessorList {
        let status = try String(contentsOfFile: "/proc/\(thread)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") })
        return try #require(ProcessorList(line.dropFirst("Cpus_allowed_list:".count)))
    }

    /// In a thread of its own: what is bound stays bound.
    private func inThread<T: Sendable>(_ body: @escaping @Sendable () -> T) -> T {
        let result = Mutex<T?>(nil)
        let done = DispatchSemaphore(value: 0)
        Thread {
            result.withLock { $0 = body() }
            done.signal()
        }.start()
        done.wait()
        return result.withLock { $0 }!
    }

    @Test func `a thread is bound to a list, and the threads that it starts`() throws {
        let all = try Self.allowed(ofThread: "self")
        let last = ProcessorList([try #require(all.numbers.last)])
        let found = inThread {
            (
                last.bindThisThread(), try? Self.allowed(ofThread: "thread-self"),
                inThread { try? Self.allowed(ofThread: "thread-self") }
            )
        }
        #expect(found.0 && found.1 == last && found.2 == last, "\(found)")
        #expect(try Self.allowed(ofThread: "self") == all)
    }

    @Test(arguments: [[], [1_048_575]])
    func `where no processor of a list is there, nothing changes`(numbers: [Int]) throws {
        let found = inThread {
            (ProcessorList(numbers).bindThisThread(), try? Self.allowed(ofThread: "thread-self"))
        }
        #expect(!found.0)
        #expect(try found.1 == Self.allowed(ofThread: "self"))
    }
}
