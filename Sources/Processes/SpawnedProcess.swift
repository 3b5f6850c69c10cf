internal import Files
package import Foundation
internal import Synchronization
package import Wording

/// A child process in its own process group, with a pipe to its standard input.
///
/// Foundation's `Process` considers a child ended once it has closed its inherited descriptors, which ssh does first,
/// and then does not notice another child's end before that one's.
package final class SpawnedProcess: Sendable {
    /// How a process ended: with an exit status, or by a signal.
    package enum End: Equatable, Sendable {
        case status(Int32)
        case signal(Int32)

        /// As a shell reports it.
        package var shellStatus: Int32 {
            switch self {
            case .status(let status): status
            case .signal(let number): 128 + number
            }
        }
    }

    /// The destination of a child's output.
    package enum Output {
        case inherited
        /// Both streams into one pipe.
        case joined
        case apart
    }

    private static let starting = NSLock()

    package let input: FileHandle
    /// Nil if the output is inherited.
    package let output: FileHandle?
    /// Nil unless the streams are separate.
    package let errors: FileHandle?
    private let id: pid_t
    private let ended = Mutex<End?>(nil)
    private let ending = DispatchGroup()

    /// - Parameters:
    ///   - environment: instead of this process's own; nil for the same.
    ///   - onEnd: called once it has ended, on a separate thread.
    /// - Throws: ``RunError`` if it cannot be started.
    package init(
        _ executable: String, _ arguments: [String], environment: [String: String]? = nil, output kind: Output,
        onEnd: @escaping @Sendable (End) -> Void = { _ in }
    ) throws(RunError) {
        // Between opening a pipe and marking it no other child may start: it would keep the pipe open.
        Self.starting.lock()
        defer { Self.starting.unlock() }
        let incoming = try Ends()
        let outgoing = kind == .inherited ? nil : try Ends()
        let complaining = kind == .apart ? try Ends() : nil
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        defer {
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        unsafe posix_spawn_file_actions_adddup2(&actions, incoming.reading, 0)
        if let outgoing { unsafe posix_spawn_file_actions_adddup2(&actions, outgoing.writing, 1) }
        if let complaint = complaining ?? outgoing {
            unsafe posix_spawn_file_actions_adddup2(&actions, complaint.writing, 2)
        }
        var defaults = sigset_t()
        unsafe sigemptyset(&defaults)
        for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] { unsafe sigaddset(&defaults, number) }
        unsafe posix_spawnattr_setsigdefault(&attributes, &defaults)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF))
        let values = (environment ?? ProcessInfo.processInfo.environment).map { "\($0)=\($1)" }
        var child = pid_t()
        let code = unsafe withCStrings([executable] + arguments) { words in
            unsafe withCStrings(values) { unsafe posix_spawn(&child, executable, &actions, &attributes, words, $0) }
        }
        for end in [incoming.reading, outgoing?.writing, complaining?.writing] { if let end { close(end) } }
        input = FileHandle(fileDescriptor: incoming.writing, closeOnDealloc: true)
        output = outgoing.map { FileHandle(fileDescriptor: $0.reading, closeOnDealloc: true) }
        errors = complaining.map { FileHandle(fileDescriptor: $0.reading, closeOnDealloc: true) }
        id = child
        guard code == 0 else {
            throw RunError("\(executable) cannot be started: \(systemReason(code))")
        }
        ending.enter()
        Thread { [self] in
            let end = reap()
            ending.leave()
            onEnd(end)
        }.start()
    }

    /// The id stays reserved until `ended` is set, so that no signal reaches another process.
    private func reap() -> End {
        var information = unsafe siginfo_t()
        while unsafe waitid(P_PID, id_t(id), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        return ended.withLock { ended in
            var status: Int32 = 0
            while unsafe waitpid(id, &status, 0) < 0, errno == EINTR {}
            let end: End = status & 0x7F == 0 ? .status(status >> 8 & 0xFF) : .signal(status & 0x7F)
            ended = end
            return end
        }
    }

    var isRunning: Bool { ended.withLock { $0 == nil } }

    /// Sends a signal, unless the process has ended.
    package func send(_ signal: Int32) { ended.withLock { if $0 == nil { _ = kill(id, signal) } } }

    /// Waits for the end; nil if it does not come in time.
    package func end(before deadline: DispatchTime) -> End? {
        ending.wait(timeout: deadline) == .success ? ended.withLock { $0 } : nil
    }
}

/// The two ends of a pipe that no child inherits by default.
private struct Ends {
    let reading: Int32
    let writing: Int32

    init() throws(RunError) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw RunError("no free file descriptor: raise the limit with ulimit -n") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        reading = ends[0]
        writing = ends[1]
    }
}
